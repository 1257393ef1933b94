// Elements from data. Texts come from orchestrators and policies: they only ever become text nodes.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "hue") element.style.setProperty("--hue", value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

export const byId = (id) => document.getElementById(id);

export const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

export function duration(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 9950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
