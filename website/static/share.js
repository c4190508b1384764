// Handing an explorer on: a button copies the address of what it shows, and an address that ends in ?embed=explorer-2
// shows this one alone, for the page of a course elsewhere, which is told how high it is.
for (const figure of document.querySelectorAll("figure.explorer")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy-link", textContent: "Copy link" });
  button.setAttribute("aria-label", `Copy link to: ${figure.querySelector("figcaption").textContent}`);
  button.addEventListener("click", async () => {
    const state = [...figure.querySelectorAll("input[type=range]")].map((input) => input.value).join();
    const address = `${location.href.split(/[?#]/)[0]}#${figure.id}=${state}`;
    const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
    if (copied) button.textContent = "Copied";
    else prompt("The address of what is shown:", address); // where a page may not write to the clipboard
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  });
  figure.querySelector(".panel").append(button);
}

{
  const wanted = new URLSearchParams(location.search).get("embed");
  const figure = wanted && [...document.querySelectorAll("figure.explorer")].find(({ id }) => id === wanted);
  if (figure) {
    const source = Object.assign(document.createElement("a"), { className: "embed-source", target: "_blank", textContent: document.title });
    source.href = `${location.href.split(/[?#]/)[0]}#${figure.id}`;
    const main = document.createElement("main");
    main.append(figure, source);
    document.body.replaceChildren(main);
    document.body.classList.add("embedded");
    new ResizeObserver(() => parent.postMessage({ hedgeLab: wanted, height: document.documentElement.scrollHeight }, "*")).observe(main);
  }
}
