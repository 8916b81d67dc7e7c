// Like Mastodon 4.6: "auto" becomes the scheme and contrast that the person's system prefers.
(function (element) {
  const { colorScheme, contrast } = element.dataset;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const more = window.matchMedia("(prefers-contrast: more)");
  const update = () => {
    const useDark = colorScheme === "auto" ? dark.matches : colorScheme === "dark";
    element.dataset.colorScheme = useDark ? "dark" : "light";
    element.dataset.contrast = contrast === "high" || more.matches ? "high" : "default";
  };
  dark.addEventListener("change", update);
  more.addEventListener("change", update);
  update();
})(document.documentElement);
