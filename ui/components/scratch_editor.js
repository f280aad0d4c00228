// A photo with a red mask above it, to correct by brush and eraser. `props.value` is {photo, mask, words}: data URLs of the
// photo and of a PNG that is opaque where it is to be mended, and what the tools are called. The mask in it follows what
// the visitor draws.
const canvas = element.querySelector("canvas");
const shown = canvas.getContext("2d");
const mask = document.createElement("canvas");
const drawn = mask.getContext("2d");
const size = element.querySelector("input[type=range]");
const undo = element.querySelector("button");
let photo, earlier = [], last;

const loaded = async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
};

const show = () => {
  shown.globalAlpha = 1;
  shown.drawImage(photo, 0, 0);
  shown.globalAlpha = 0.75;
  shown.drawImage(mask, 0, 0);
};

const keep = () => {
  undo.disabled = !earlier.length;
  props.value = { ...props.value, mask: mask.toDataURL("image/png") };
  lab.stale();
};

const open = async () => {
  if (!props.value?.photo || props.value.mask === mask.toDataURL("image/png")) return;
  for (const each of element.querySelectorAll("[data-word]")) each.textContent = props.value.words[each.dataset.word];
  photo = await loaded(props.value.photo);
  canvas.width = mask.width = photo.width;
  canvas.height = mask.height = photo.height;
  drawn.drawImage(await loaded(props.value.mask), 0, 0);
  earlier = [];
  undo.disabled = true;
  show();
};

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
};

const stroke = (to) => {
  const erases = element.querySelector("input[value=eraser]").checked;
  drawn.globalCompositeOperation = erases ? "destination-out" : "source-over";
  drawn.strokeStyle = "rgb(230, 40, 40)";
  drawn.lineCap = drawn.lineJoin = "round";
  drawn.lineWidth = (size.value / 100) * Math.max(canvas.width, canvas.height);
  drawn.beginPath();
  drawn.moveTo(...last);
  drawn.lineTo(...to);
  drawn.stroke();
  drawn.globalCompositeOperation = "source-over";
  last = to;
  show();
};

canvas.onpointerdown = (event) => {
  if (!photo || !event.isPrimary || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  earlier = [...earlier.slice(-9), drawn.getImageData(0, 0, mask.width, mask.height)];
  last = place(event);
  stroke(last);
};
canvas.onpointermove = (event) => last && event.isPrimary && stroke(place(event));
canvas.onpointerup = canvas.onpointercancel = () => {
  if (!last) return;
  last = undefined;
  keep();
};
undo.onclick = () => {
  drawn.putImageData(earlier.pop(), 0, 0);
  show();
  keep();
};
watch("value", open);
open();
