// Large arrays as small pictures: dark is low, light is high, red is not a number.

/** The colour of a block, from 0 to 1. */
function colourOf(x) {
  return x === null ? "rgb(200 50 60)" : `hsl(${215 - 35 * x} ${45 + 20 * x}% ${18 + 68 * x}%)`;
}

const pictures = new Map();

/** A picture with one pixel a block, as the address of its data. */
function pictureOf(thumbnail) {
  if (!pictures.has(thumbnail)) {
    const canvas = document.createElement("canvas");
    canvas.width = thumbnail[0].length;
    canvas.height = thumbnail.length;
    const pen = canvas.getContext("2d");
    thumbnail.forEach((row, i) => row.forEach((x, j) => {
      pen.fillStyle = colourOf(x);
      pen.fillRect(j, i, 1, 1);
    }));
    pictures.set(thumbnail, canvas.toDataURL());
  }
  return pictures.get(thumbnail);
}

/** The picture of an array, for the panel. */
function heat(s) {
  const rows = s.thumbnail.length, columns = s.thumbnail[0].length;
  return html("img", { class: "heat", width: columns * 10, height: rows * 10, src: pictureOf(s.thumbnail),
    alt: `heat map of ${s.shape.join(" by ")} elements from ${digits(s.least)} to ${digits(s.greatest)}` });
}
