/* Gives the frames of published maps the height they ask for. */
(function () {
  if (window.mailleEmbeds) return;
  window.mailleEmbeds = true;
  window.addEventListener("message", function (event) {
    var data = event.data;
    var heights = data && typeof data === "object" && data["datawrapper-height"];
    if (!heights || typeof heights !== "object") return;
    var frames = document.getElementsByTagName("iframe");
    for (var i = 0; i < frames.length; i += 1) {
      if (frames[i].contentWindow !== event.source) continue;
      for (var id in heights) {
        var height = Number(heights[id]);
        if (height > 0 && height < 20000) frames[i].style.height = Math.ceil(height) + "px";
      }
    }
  });
})();
