// One picture large, before and after, with the others as thumbnails; or all of them side by side. `props.value` is what
// `viewer.py` makes of a run: the pictures, which of them is shown and how, and the words. The visitor's choices are
// kept in it, so that a download knows what is shown.
const one = (css) => element.querySelector(css);
const stage = one(".stage"), pair = one(".pair"), handle = one("input[type=range]"), choices = one(".choices");
let run, name, saved, picked, view;  // the last two are the visitor's own choices, which outlast a run

const address = (path) => `gradio_api/file=${path.split("/").map(encodeURIComponent).join("/")}`;
const find = (kind) => props.value.pictures.find((each) => each.kind === kind);
const keep = (changed) => (props.value = { ...props.value, ...changed });
const fill = (img, picture) => {
  if (img.getAttribute("src") !== address(picture.path)) img.src = address(picture.path);
  img.alt = picture.alt;
  img.classList.toggle("pixels", picture.width <= 128 && picture.height <= 128);
};

const slide = () => {
  pair.style.setProperty("--at", `${handle.value}%`);
  handle.setAttribute("aria-valuetext", `${Math.round(handle.value)} % ${props.value.words.before}`);
};

const show = () => {
  const { shown, before, pictures, words } = props.value;
  const after = find(shown) ?? pictures.at(-1), first = find(before) ?? after;
  const large = after.large ?? after;
  fill(one(".after"), large);
  fill(one(".before"), first);
  pair.style.setProperty("--ratio", large.width / large.height);
  const both = first.kind !== after.kind;
  pair.classList.toggle("both", both);
  handle.hidden = !both;
  handle.setAttribute("aria-label", words.slider);
  one(".left").textContent = both ? `◀ ${first.title}` : "";
  one(".right").textContent = `${large.title}${both ? " ▶" : ""}`;
  slide();
};

const choice = (picture) => {
  const label = document.createElement("label"), radio = document.createElement("input");
  const img = document.createElement("img"), words = document.createElement("span");
  Object.assign(radio, { type: "radio", name: "shown", value: picture.kind, checked: picture.kind === props.value.shown });
  radio.onchange = () => (keep({ shown: (picked = picture.kind) }), show());
  fill(img, { ...picture, path: props.value.maps?.[picture.kind] ?? picture.path, alt: "" });
  const title = document.createElement("b"), note = document.createElement("small");
  title.textContent = picture.name;
  note.textContent = picture.note;
  words.append(title, note);
  label.append(radio, img, words);
  return label;
};

const open = () => {
  let value = props.value;
  element.hidden = !value?.pictures?.length;
  if (element.hidden) return choices.replaceChildren();
  if (value.name !== name) [name, picked, view] = [value.name];
  const shown = find(picked) ? picked : value.shown, all = view ?? value.all;
  if (shown !== value.shown || all !== value.all) value = keep({ shown, all });
  if (value.run !== run) {
    run = value.run;
    delete document.body.dataset.stale;
  }
  element.dataset.view = value.all ? "all" : "one";
  const focused = choices.contains(document.activeElement);
  choices.replaceChildren(...value.pictures.map(choice));
  if (focused) choices.querySelector(":checked")?.focus();
  choices.setAttribute("aria-label", value.words.choices);
  one(".view").textContent = value.words[value.all ? "large" : "all"];
  one(".fullscreen").textContent = value.words.fullscreen;
  one(".preview").textContent = value.words.preview ?? "";
  one(".stale").textContent = value.words.stale;
  show();
  if (value.save && value.save.at !== saved) {
    saved = value.save.at;
    const link = document.createElement("a");
    link.href = address(value.save.path);
    link.download = value.save.path.split("/").at(-1);
    link.click();
  }
};

handle.oninput = slide;
one(".view").onclick = () => (keep({ all: (view = !props.value.all) }), open());
one(".fullscreen").onclick = () => {
  stage.requestFullscreen();
  if (props.value.words.preview) trigger("expand");
};
watch("value", open);
open();
