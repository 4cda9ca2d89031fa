(() => {
  // Puts the figure on the page and shows one of the steps that Python drew; see steps.py and waking.py.
  const start = (root) => {
    root.dataset.live = "yes";
    const standing = [...root.querySelectorAll(".step")];
    root.innerHTML = root.dataset.figure;
    const label = root.querySelector("label"), slider = root.querySelector("input");
    label.after(...standing);
    const steps = [...root.querySelectorAll(".step")];
    const show = () => {
      const now = slider.value - 1;
      steps.forEach((step, k) => { step.hidden = k !== now; });
      root.querySelector("output").textContent = steps[now].dataset.name || `${now + 1} of ${steps.length}`;
    };
    // Pages that turn with the arrow keys must not do so while the slider has the focus.
    label.addEventListener("keydown", (event) => event.stopPropagation());
    slider.addEventListener("input", show);
    show();
  };
  // A page may hold several figures, and a cell may be run again: each comes to life once.
  document.querySelectorAll(".segtutor-steps:not([data-live])").forEach(start);
})();
