// Keeps answers to clicks as labels of classes, and hands all of them out as one text; see labelling.py. The figure is
// that of clicks.js: mask() is the answer that is shown, clear() takes the clicks away, "shown" hears of a new picture.
const labelling = (root, data, figure) => {
  const NONE = 255, find = (selector) => root.querySelector(selector);
  const maps = data.scenes.map(({size}) => new Uint8Array(size[0] * size[1]).fill(NONE));
  const before = data.scenes.map(() => []);  // a picture's earlier maps, to go back to
  const tells = find(".labels .tells"), text = find(".labels textarea"), file = find(".labels a");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  canvas.className = "kept";
  find(".stage canvas").before(canvas);
  let number = 0;

  // Runs of equal pixels, row by row: "." or the letter of a class, and the length to the base of 36.
  const runs = (map) => {
    let out = "";
    for (let from = 0, to = 0; from < map.length; from = to) {
      while (to < map.length && map[to] === map[from]) to++;
      out += (map[from] === NONE ? "." : String.fromCharCode(65 + map[from])) + (to - from).toString(36);
    }
    return out;
  };

  const read = (text, map) => {
    let at = 0;
    for (const [, letter, length] of text.matchAll(/([.A-Z])([0-9a-z]+)/g)) {
      const to = at + parseInt(length, 36);
      map.fill(letter === "." ? NONE : letter.charCodeAt(0) - 65, at, to);
      at = to;
    }
  };
  data.runs.forEach((text, k) => read(text, maps[k]));

  const draw = () => {
    const [height, width] = data.scenes[number].size, context = canvas.getContext("2d");
    canvas.width = width;
    canvas.height = height;
    const pixels = context.createImageData(width, height);
    maps[number].forEach((label, k) => { if (label !== NONE) pixels.data.set([...data.classes[label].color, 170], 4 * k); });
    context.putImageData(pixels, 0, 0);
    const done = maps.filter((map) => map.some((label) => label !== NONE)).length;
    const open = maps[number].filter((label) => label === NONE).length / maps[number].length;
    tells.textContent = `${(100 * open).toFixed(0)} % of this picture have no label yet; ` +
      `${done} of ${maps.length} pictures have labels.`;
    text.value = JSON.stringify({segtutor: "labels", classes: data.classes.map(({name}) => name),
      pictures: maps.map((map, k) => ({name: data.names[k], size: data.scenes[k].size, runs: runs(map)}))});
    file.href = `data:application/json;charset=utf-8,${encodeURIComponent(text.value)}`;
  };

  const keep = (label, where) => {
    if (!where) {
      tells.textContent = "Click on something first: the mask that is shown becomes the label.";
      return;
    }
    before[number].push(maps[number]);
    maps[number] = maps[number].map((old, k) => where[k] ? label : old);
    figure.clear();
    draw();
  };
  root.querySelectorAll(".labels .class").forEach((button, label) =>
    button.addEventListener("click", () => keep(label, figure.mask())));
  root.querySelectorAll(".labels .rest").forEach((button, label) =>
    button.addEventListener("click", () => keep(label, maps[number].map((old) => old === NONE ? 1 : 0))));
  find(".labels .undo").addEventListener("click", () => {
    if (before[number].length) maps[number] = before[number].pop();
    draw();
  });
  // A page inside a frame may not write to the clipboard: then the text is marked, and Ctrl+C copies it.
  find(".labels .copy").addEventListener("click", async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      tells.textContent = "The labels are copied: paste them into the next cell.";
    } catch {
      tells.textContent = document.execCommand("copy") ? "The labels are copied: paste them into the next cell."
        : "The labels are marked: copy them with Ctrl+C, and paste them into the next cell.";
    }
  });
  figure.shown.push((now) => { number = now; draw(); });
};
