// The theme's arrows that open a part of the list of pages have no words of their own.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("nav summary").forEach((summary) => {
    if (summary.innerText.trim()) return;
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages below ${link ? link.innerText.trim() : "this one"}`);
  });
});

// On a phone the map of the course is wider than the page: it begins with the lane in its middle.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".course-map").forEach((map) => {
    map.scrollLeft = (map.scrollWidth - map.clientWidth) / 2;
  });
});

// On a phone a picture of many small ones keeps a size at which they can be seen, and is moved sideways, by key, too.
document.addEventListener("DOMContentLoaded", () => {
  if (!window.matchMedia("(max-width: 600px)").matches) return;
  document.querySelectorAll(".bd-article img.wide").forEach((picture) => {
    const frame = document.createElement("div");
    frame.className = "wide-frame";
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "A wide picture: the arrow keys move it");
    picture.replaceWith(frame);
    frame.append(picture);
  });
});

// A short command or option is not broken at its hyphens; a long one may be, or a phone would have to move sideways.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article :not(pre) > code").forEach((code) => {
    if (code.textContent.length <= 24) code.style.whiteSpace = "nowrap";
  });
});
