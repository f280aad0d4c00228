// What the page does by itself, run when it loads. `lab` holds what its listeners call.
() => {
  window.lab = {
    // What is shown is no longer what the settings ask for.
    stale: () => {
      if (document.querySelector("#viewer [data-view]:not([hidden])")) document.body.dataset.stale = "";
    },
    // Moves the focus, and the page with it, to what has just appeared.
    goTo: (css) => setTimeout(() => {
      const place = document.querySelector(css);
      place.tabIndex = -1;
      place.focus();
      place.scrollIntoView();
    }, 100),
    // The page's own address becomes the job's: Gradio reloads a page whose connection was lost.
    remember: (link) => {
      if (!link) return;
      const here = new URL(location);
      here.searchParams.set("job", new URL(link, here).searchParams.get("job"));
      history.replaceState(history.state, "", here);
    },
    // A job's link opens its tab, in whichever language it is named. An update of `gr.Tabs` would empty the menus in it.
    openTab: (kind, titles) => {
      const isOurs = (new URL(location).searchParams.get("job") ?? "").startsWith(`${kind}-`);
      const tabs = document.querySelectorAll("[role=tab], .overflow-dropdown button");
      if (isOurs) [...tabs].find((tab) => titles.includes(tab.textContent.trim()))?.click();
    },
  };

  // What Gradio leaves out for whoever uses a keyboard, a screen reader or a phone.
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
