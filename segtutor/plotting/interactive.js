(() => {
  // Puts the figure on the page, looks up what Python computed, and draws it; see interactive.py and waking.py.
  const start = (root) => {
    root.dataset.live = "yes";
    root.innerHTML = root.dataset.figure;
    const find = (selector) => root.querySelector(selector);
    const data = JSON.parse(find(".parts").dataset.curve);
    const all = (selector) => [...root.querySelectorAll(selector)];
    const score = find(".score"), iou = find(".iou"), choice = find("select");
    const outputs = all("output");
    const objects = all(".object"), detections = all(".detection"), rows = all(".list tbody tr");
    const letters = objects.map((object, k) => object.textContent || `number ${k + 1}`);
    const [left, right, top, bottom] = find(".plot").dataset.frame.split(" ").map(Number);
    const x = (recall) => (left + recall * (right - left)).toFixed(1);
    const y = (precision) => (bottom - precision * (bottom - top)).toFixed(1);

    const shade = (state, method) => {
      const levels = state.levels[method];
      if (!levels) {
        const steps = state.recall.slice(1).map((recall, k) => `V${y(state.envelope[k + 1])}H${x(recall)}`);
        return `M${x(0)} ${y(0)}${steps.join("")}V${y(0)}Z`;
      }
      const half = Math.min(4, 0.35 * (right - left) / (levels.length - 1));
      return levels.map((point, k) => {
        const middle = Number(x(k / (levels.length - 1))), height = y(state.envelope[point] ?? 0);
        return `M${middle - half} ${y(0)}V${height}H${middle + half}V${y(0)}Z`;
      }).join("");
    };

    const show = () => {
      const state = data.states[iou.value];
      const least = Number(score.value);
      const passing = data.scores.filter((value) => value >= least).length;
      const [hits, precision, recall, values] = state.passing[passing];
      const count = data.scores.length;
      outputs[0].textContent = least.toFixed(2);
      outputs[1].textContent = state.iou;
      iou.setAttribute("aria-valuetext", state.iou);
      const found = new Set();
      detections.forEach((detection, k) => {
        const object = state.matched[k], passes = k < passing;
        const kind = !passes ? "below" : object >= 0 ? "hit" : "false";
        if (kind === "hit") found.add(object);
        detection.setAttribute("class", `detection ${kind}`);
        rows[k].className = kind;
        rows[k].lastElementChild.textContent =
          { below: "below the score", hit: `hit of ${letters[object]}`, false: "false" }[kind];
      });
      objects.forEach((object, k) => object.setAttribute("class", found.has(k) ? "object" : "object missed"));
      all(".ap tbody tr").forEach((row, k) => {
        row.children[1].textContent = state.passing[count][3][k];
        row.children[2].textContent = values[k];
        row.className = data.methods[k] === choice.value ? "chosen" : "";
      });
      find(".says").textContent = `${passing} of ${count} detections pass: ${hits} hit an object, ${passing - hits} ` +
        `do not; ${objects.length - hits} of ${objects.length} objects are missed. ` +
        `Precision ${precision}, recall ${recall}.`;
      const line = state.recall.slice(1).map((value, k) => `${x(value)} ${y(state.precision[k + 1])}`);
      find(".points").setAttribute("d", line.length ? `M${line.join("L")}` : "");
      find(".dots").innerHTML = line.map((place) => {
        const [cx, cy] = place.split(" ");
        return `<circle cx="${cx}" cy="${cy}" r="2.5"/>`;
      }).join("");
      const steps = state.recall.slice(1).map((value, k) => `V${y(state.envelope[k + 1])}H${x(value)}`);
      find(".envelope").setAttribute("d", `M${x(0)} ${y(state.envelope[0])}${steps.join("")}`);
      find(".shade").setAttribute("d", shade(state, choice.value));
      const now = find(".now");
      now.style.display = passing ? "" : "none";
      now.setAttribute("cx", x(state.recall[passing]));
      now.setAttribute("cy", y(state.precision[passing] ?? 0));
    };
    // Pages that turn with the arrow keys must not do so while a slider has the focus.
    find(".controls").addEventListener("keydown", (event) => event.stopPropagation());
    [score, iou, choice].forEach((control) => control.addEventListener("input", show));
    show();
  };
  // A page may hold several figures, and a cell may be run again: each comes to life once.
  document.querySelectorAll(".segtutor-curve:not([data-live])").forEach(start);
})();
