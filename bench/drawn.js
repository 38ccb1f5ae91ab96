// Contrast of the text in drawings, which axe does not judge: its colour is `fill`, and its ground is what was drawn
// before it, over the background of the page. Gives the rules that were broken, in the form of axe's own.
(() => {
  const parts = (colour) => {
    const found = colour.match(/^rgba?\((.*)\)$/);
    return found && found[1].split(/[ ,/]+/).map(Number);
  };
  const over = (top, ground, share) => ground.map((part, n) => top[n] * share + part * (1 - share));
  const paint = (shape, ground) => {
    const style = getComputedStyle(shape);
    const colour = parts(style.fill);
    return colour ? over(colour, ground, (colour[3] ?? 1) * style.opacity * style.fillOpacity) : ground;
  };
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parts(getComputedStyle(element).backgroundColor);
    const share = colour ? (colour[3] ?? 1) : 0;
    return share === 1 ? colour : over(colour ?? [0, 0, 0], behind(element.parentElement), share);
  };
  // Relative luminance and contrast as WCAG 2.2 defines them.
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, n) => sum + weight * linear(colour[n] / 255), 0);
  const contrast = (one, other) => {
    const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  const nodes = [];
  for (const text of document.querySelectorAll("svg text")) {
    const drawing = text.closest(".drawing") ?? text.closest("svg");
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (!box.width) continue;
    let ground = behind(drawing).slice(0, 3);
    for (const shape of drawing.querySelectorAll("rect, circle, ellipse, polygon")) {
      if (text.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_FOLLOWING) break;
      const at = shape.getBoundingClientRect();
      if (at.left <= x && x <= at.right && at.top <= y && y <= at.bottom) ground = paint(shape, ground);
    }
    const ratio = contrast(ground, paint(text, ground));
    if (ratio < 4.5) {
      const target = `${drawing.getAttribute("aria-labelledby") ?? "svg"}: ${text.textContent}`;
      nodes.push({ target, html: text.outerHTML, fix: `contrast ${ratio.toFixed(2)}, 4.5 needed` });
    }
  }
  const help = "Text in drawings must have a contrast of 4.5";
  return [{ rule: "drawn-contrast", impact: "serious", help, url: "", nodes }];
})();
