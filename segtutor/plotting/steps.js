(() => {
  // Shows one of the steps that Python drew; see scatter.py.
  const start = (root) => {
    root.dataset.live = "yes";
    const label = root.querySelector("label"), slider = root.querySelector("input");
    const steps = [...root.querySelectorAll(".step")];
    const show = () => {
      steps.forEach((step, k) => { step.hidden = k !== slider.value - 1; });
      root.querySelector("output").textContent = `${slider.value} of ${steps.length}`;
    };
    label.hidden = false;
    // Pages that turn with the arrow keys must not do so while the slider has the focus.
    label.addEventListener("keydown", (event) => event.stopPropagation());
    slider.addEventListener("input", show);
    show();
  };
  // A page may hold several figures, and a cell may be run again: each comes to life once.
  document.querySelectorAll(".segtutor-scatter:not([data-live])").forEach(start);
})();
