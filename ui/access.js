// What Gradio leaves out for whoever uses a keyboard, a screen reader or a phone.
() => {
  const mend = () => {
    // Each radio button has a name of its own there: each is a stop of the Tab key, and arrows choose nothing.
    document.querySelectorAll("fieldset").forEach((group, place) =>
      group.querySelectorAll("input[type=radio]").forEach((radio) => (radio.name = `group-${place}`)));
    // A label names the first that can have a name: where there is one, the button that copies, not the text.
    document.querySelectorAll("label:has(button) :is(textarea, input):not([aria-label])").forEach((box) =>
      box.setAttribute("aria-label", box.closest("label").querySelector("[data-testid=block-info]").textContent.trim()));
    // On a phone the sliders would push the pictures out of reach.
    const sliders = document.querySelector("#by-hand:not([data-met])");
    if (!sliders) return;
    sliders.dataset.met = "";
    if (innerWidth < 640) sliders.querySelector("button").click();
  };
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
  mend();
}
