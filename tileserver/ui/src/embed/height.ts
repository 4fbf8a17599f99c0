/** Tells the page around how high this one is, in the words that publishing systems listen to. */

/** Announces the height now and whenever it changes. */
export function announceHeight(id: string): void {
  if (window.parent === window) return;
  // pym.js names the frame in its address; other parents may be told in its words too.
  const child = new URLSearchParams(location.search).get("childId") ?? id;
  let last = 0;
  const tell = (): void => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === last || height === 0) return;
    last = height;
    for (const message of messages(id, child, height, addressOf(location.href))) window.parent.postMessage(message, "*");
  };
  new ResizeObserver(tell).observe(document.documentElement);
  window.addEventListener("load", tell);
  // A parent that starts to listen later asks.
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    last = 0;
    tell();
  });
}

/** One message for each dialect. */
export function messages(id: string, child: string, height: number, src: string): unknown[] {
  return [
    { "datawrapper-height": { [id]: height } },
    { sentinel: "amp", type: "embed-size", height },
    JSON.stringify({ src, context: "iframe.resize", height }),
    `pymxPYMx${child}xPYMxheightxPYMx${height}`,
  ];
}

/** A page's address as others may hear it: a signed link is its holder's. */
export function addressOf(href: string): string {
  const url = new URL(href);
  if (!url.searchParams.has("sig")) return href;
  url.searchParams.delete("sig");
  return url.href;
}
