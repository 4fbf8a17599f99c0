/** In the page, before its scripts: notes when each frame that draws on a map has been handed over. */
export function noteFrames() {
  globalThis.frames = [];
  let draws = 0;
  const context = WebGL2RenderingContext.prototype;
  const { drawElements } = context;
  context.drawElements = function (...all) {
    draws += 1;
    return drawElements.apply(this, all);
  };
  const ask = globalThis.requestAnimationFrame;
  globalThis.requestAnimationFrame = (draw) =>
    ask((now) => {
      const before = draws;
      draw(now);
      if (draws > before) globalThis.frames.push(performance.now());
    });
}
