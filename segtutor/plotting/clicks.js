(() => {
  // Puts the figure on the page, runs the mask decoder for every click, draws what it says; see clicks.py, waking.py.
  const FINE = 3;  // pixels of the drawn mask along one of the picture's
  const COLORS = [[43, 143, 208], [230, 159, 0], [0, 158, 115]];
  const bytes = async (text) => {
    const small = new Blob([maskDecoder.fromLetters(text)]);
    const large = small.stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(large).arrayBuffer());
  };
  const start = async (root) => {
    root.dataset.waking = "yes";
    root.innerHTML = root.dataset.figure;
    const find = (selector) => root.querySelector(selector);
    const data = JSON.parse(find(".parts").dataset.clicks);
    const network = maskDecoder.create(maskDecoder.unpack(await bytes(data.weights)), data.heads);
    const embeddings = await Promise.all(data.scenes.map(async (one) =>
      maskDecoder.embedding(await bytes(one.embedding), ...one.places, network.channels)));
    const pictures = [...root.querySelectorAll(".pictures button")];
    const stage = find(".stage"), canvas = find(".stage canvas"), marks = find(".stage svg"), image = find(".stage img");
    const answers = [...root.querySelectorAll(".answers button")], says = find(".says"), modes = find(".modes");
    const shown = [];  // called with the number of a picture once it is there
    let scene, embedding, points, corners, result, chosen, cursor;

    const mode = () => modes.querySelector("input:checked").value;
    const box = () => corners.length === 2 ? [
      Math.min(corners[0][0], corners[1][0]), Math.min(corners[0][1], corners[1][1]),
      Math.max(corners[0][0], corners[1][0]), Math.max(corners[0][1], corners[1][1])] : null;

    // Logits of h x w places at FINE times the picture's size, by straight lines between the places' centers.
    const enlarged = (logits, h, w) => {
      const [height, width] = scene.size.map((side) => FINE * side), out = new Float32Array(height * width);
      const between = (k, from, to) => Math.min(Math.max((k + 0.5) * from / to - 0.5, 0), from - 1);
      for (let y = 0; y < height; y++) {
        const v = between(y, h, height), y0 = Math.floor(v), y1 = Math.min(y0 + 1, h - 1), b = v - y0;
        for (let x = 0; x < width; x++) {
          const u = between(x, w, width), x0 = Math.floor(u), x1 = Math.min(x0 + 1, w - 1), a = u - x0;
          out[y * width + x] = (1 - b) * ((1 - a) * logits[y0 * w + x0] + a * logits[y0 * w + x1]) +
            b * ((1 - a) * logits[y1 * w + x0] + a * logits[y1 * w + x1]);
        }
      }
      return out;
    };

    const paint = (target, inside, color) => {
      const [height, width] = scene.size.map((side) => FINE * side), context = target.getContext("2d");
      target.width = width;
      target.height = height;
      const pixels = context.createImageData(width, height);
      for (let k = 0; k < inside.length; k++) {
        if (!inside[k]) continue;
        const x = k % width;
        const edge = !(x && inside[k - 1] && x < width - 1 && inside[k + 1] && inside[k - width] && inside[k + width]);
        pixels.data.set(edge ? [255, 255, 255, 255] : [...color, 150], 4 * k);
      }
      context.putImageData(pixels, 0, 0);
    };

    const draw = () => {
      const [height, width] = scene.size;
      const cross = points.map(([x, y, label]) => label
        ? `<circle class="this" cx="${x + 0.5}" cy="${y + 0.5}" r="2.4"/>`
        : `<path class="not" d="M${x - 1.5} ${y - 1.5}l4 4m0-4l-4 4"/>`).join("");
      const area = box();
      const frame = area ? `<rect x="${area[0]}" y="${area[1]}" width="${area[2] - area[0]}" height="${area[3] - area[1]}"/>`
        : corners.map(([x, y]) => `<rect x="${x - 1}" y="${y - 1}" width="2" height="2"/>`).join("");
      marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
      marks.innerHTML = `${frame}${cross}<path class="cursor" d="M${cursor[0] + 0.5} ${cursor[1] - 3}v7` +
        `M${cursor[0] - 3} ${cursor[1] + 0.5}h7"/>`;
      answers.forEach((button, k) => {
        button.hidden = !result || k >= result.masks.length;
        if (button.hidden) return;
        button.setAttribute("aria-pressed", k === chosen);
        button.querySelector("span").firstChild.data = result.masks.length > 1 ? `Answer ${k + 1}` : "The single answer";
        button.querySelector("span span").textContent = `predicted IoU ${Math.min(Math.max(result.iou[k], 0), 1).toFixed(2)}`;
        paint(button.querySelector("canvas"), result.inside[k], COLORS[k]);
      });
      if (!result) {
        canvas.width = width;
        says.textContent = corners.length === 1 ? "One corner of the box is set; set the opposite one."
          : "Click on something in the picture, or move the cross with the arrow keys and press Enter.";
        return;
      }
      paint(canvas, result.inside[chosen], COLORS[chosen]);
      const share = 100 * result.inside[chosen].reduce((sum, one) => sum + one, 0) / (FINE * FINE * height * width);
      const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
      const told = [points.length ? plural(points.length, "click") : "", area ? "a box" : ""].filter(Boolean).join(" and ");
      says.textContent = `${told}: ${result.masks.length > 1 ? `three answers, shown is number ${chosen + 1}` : "one answer"}, ` +
        `${share.toFixed(1)} % of the picture. The decoder took ${result.milliseconds.toFixed(0)} ms.`;
    };

    const ask = () => {
      result = null;
      if (points.length || box()) {
        const begun = performance.now(), [h, w] = scene.places;
        result = network.answer(embedding, h, w, scene.size, points, box());
        result.milliseconds = performance.now() - begun;
        result.inside = result.masks.map((mask) => Uint8Array.from(enlarged(mask, 4 * h, 4 * w), (value) => value > 0));
        chosen = result.iou.indexOf(Math.max(...result.iou));
        root.dispatchEvent(new CustomEvent("answer", {detail: result}));  // for tests
      }
      draw();
    };

    const set = (x, y) => {
      const [height, width] = scene.size;
      cursor = [Math.min(Math.max(Math.floor(x), 0), width - 1), Math.min(Math.max(Math.floor(y), 0), height - 1)];
      if (mode() === "box") corners = corners.length === 2 ? [[...cursor]] : [...corners, [...cursor]];
      else points.push([...cursor, mode() === "this" ? 1 : 0]);
      ask();
    };
    const back = () => {
      if (points.length) points.pop();
      else corners.pop();
      ask();
    };
    const clear = () => {
      points = [];
      corners = [];
      ask();
    };
    const show = (number) => {
      scene = data.scenes[number];
      embedding = embeddings[number];
      image.src = pictures[number].querySelector("img").src;
      image.alt = pictures[number].querySelector("img").alt;
      pictures.forEach((button, k) => button.setAttribute("aria-pressed", k === number));
      shown.forEach((told) => told(number));
      points = scene.start.map((point) => [...point]);
      cursor = points.length ? points[points.length - 1].slice(0, 2) : scene.size.map((side) => side >> 1).reverse();
      corners = [];
      ask();
    };

    stage.addEventListener("pointerdown", (event) => {
      const area = canvas.getBoundingClientRect(), [height, width] = scene.size;
      set((event.clientX - area.left) / area.width * width, (event.clientY - area.top) / area.height * height);
      stage.focus();
      event.preventDefault();
    });
    const MOVES = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    stage.addEventListener("keydown", (event) => {
      const [height, width] = scene.size, move = MOVES[event.key], far = event.shiftKey ? 8 : 1;
      if (move) {
        // The last click goes with the cross, so that its answer changes under the keys.
        const last = points[points.length - 1], moves = last && last[0] === cursor[0] && last[1] === cursor[1];
        cursor = [Math.min(Math.max(cursor[0] + far * move[0], 0), width - 1),
          Math.min(Math.max(cursor[1] + far * move[1], 0), height - 1)];
        if (moves) [last[0], last[1]] = cursor;
        if (moves) ask(); else draw();
      } else if (event.key === "Enter" || event.key === " ") set(...cursor);
      else if (event.key === "Backspace" || event.key === "Delete") back();
      else return;
      event.preventDefault();
    });
    // Pages that turn with the arrow keys, and notebooks, must not take these keys for themselves.
    root.addEventListener("keydown", (event) => event.stopPropagation());
    answers.forEach((button, k) => button.addEventListener("click", () => { chosen = k; draw(); }));
    pictures.forEach((button, k) => button.addEventListener("click", () => show(k)));
    find(".back").addEventListener("click", back);
    find(".clear").addEventListener("click", clear);
    modes.addEventListener("change", () => { if (mode() === "box") corners = []; draw(); });
    // The chosen mask at the picture's own pixels, whose middles are those of FINE x FINE drawn ones.
    const mask = () => {
      if (!result) return null;
      const [height, width] = scene.size, middle = FINE >> 1;
      return Uint8Array.from({length: height * width}, (_, k) => result.inside[chosen][
        (FINE * Math.floor(k / width) + middle) * FINE * width + FINE * (k % width) + middle]);
    };
    if (data.classes) labelling(root, data, {mask, clear, shown});
    show(0);
    root.dataset.live = "yes";
  };
  // A page may hold several figures, and a cell may be run again: each comes to life once.
  document.querySelectorAll(".segtutor-clicks:not([data-waking])").forEach(start);
})();
