// One phone: whose it is, the chat on its screen, and everything that can be sent from it.

import { element, post } from "./api.js";
import { choiceButton, choicesFor, render, stateOf } from "./bubble.js";
import { Recorder } from "./voice.js";

const ROLES = { resident: "居民", leader: "团长", agent: "客服", supervisor: "主管", group: "群", room: "群" };
const BIGGEST_PHOTO = 10 * 1024 * 1024;
const MENUS = {
  resident: ["我的订单", "怎么取货", "人工"].map((text) => ({ label: text, text, kind: "tap" })),
  kf: [{ label: "从群里的链接进来", kind: "enter" }],
  staff: ["工单", "帮助"].map((text) => ({ label: text, text })),
  group: [],
};
const STARTERS = ["刚拿回来的东西坏了", "我的订单到哪了", "退款多久到账"].map((text) => ({ label: text, text }));
const TITLES = { resident: "群答小助手", kf: "群答客服", staff: "群答助手" };
const TRAYS = [[".talk", ".voice"], [".more", ".extras"]]; // a button, and what it opens
const FEW = 5; // more bubbles at once than these are shown without a transition
const NEAR = 120; // pixels from the end within which the chat follows what comes

export class Phone {
  constructor(scene, page) {
    this.page = page;
    this.people = scene.people;
    this.root = document.getElementById("phone").content.firstElementChild.cloneNode(true);
    this.chat = this.#find(".chat");
    this.words = this.#find("textarea");
    this.recorder = new Recorder();
    this.queue = Promise.resolve();
    this.#fillOwners();
    this.#listen();
    this.#addSamples(scene.photos);
  }

  // --- the screen

  assign(name, bubbles) {
    const found = this.people.find((each) => each.name === name);
    const speaker = found.members.includes(this.person?.speaker) ? this.person.speaker : found.members[0];
    this.person = { ...found, speaker };
    this.#seat();
    this.bubbles = [];
    const { role, elder } = this.person;
    this.root.classList.toggle("elder", elder);
    this.root.setAttribute("aria-label", `${name}的手机`);
    this.chat.setAttribute("aria-label", `${name}的聊天`);
    this.#find(".owner").value = name;
    this.#find(".role").textContent = elder ? `${ROLES[role]}，大字` : ROLES[role];
    this.chat.replaceChildren();
    this.trouble("");
    this.follows = true;
    this.show(bubbles);
  }

  // New bubbles are added, known ones change their state.
  show(bubbles) {
    const made = document.createDocumentFragment();
    for (const bubble of bubbles) {
      if (this.#update(bubble)) continue;
      const shown = render(bubble, this.person, this.bubbles.at(-1), this.#actions());
      if (bubbles.length < FEW) shown.at(-1).classList.add("new");
      made.append(...shown);
      this.bubbles.push(bubble);
    }
    this.chat.append(made);
    const own = bubbles.at(-1)?.speaker === "person";
    if (this.follows || own) this.toEnd();
    else if (bubbles.length) this.#find(".down").hidden = false;
    this.#retitle();
    this.#offer();
  }

  mark(id) {
    for (const marked of this.chat.querySelectorAll(".looked-at")) marked.classList.remove("looked-at");
    this.chat.querySelector(`[data-id="${id}"]`)?.classList.add("looked-at");
  }

  trouble(words) {
    const line = this.#find(".trouble");
    line.textContent = words;
    line.hidden = !words;
  }

  #update(bubble) {
    const place = this.bubbles.findIndex((each) => each.id === bubble.id);
    if (place < 0) return false;
    const before = this.bubbles[place];
    this.bubbles[place] = bubble;
    const row = this.chat.querySelector(`[data-id="${bubble.id}"]`);
    row?.querySelector(".state")?.replaceWith(stateOf(bubble));
    const looks = ({ text, card, cards }) => JSON.stringify([text, card, cards]);
    if (row && looks(before) !== looks(bubble)) {
      this.#redraw(row, bubble);
    }
    return true;
  }

  // Whoever has the keyboard on a card keeps it there: on the same button, or on the card.
  #redraw(row, bubble) {
    const at = [...row.querySelectorAll("button")].indexOf(document.activeElement);
    const shown = render(bubble, this.person, bubble, this.#actions()).at(-1);
    row.replaceWith(shown);
    if (at < 0) return;
    const next = shown.querySelectorAll("button")[at] ?? shown.querySelector("[role=group]");
    if (next && next.tagName !== "BUTTON") next.tabIndex = -1;
    next?.focus();
  }

  toEnd() {
    this.follows = true;
    this.chat.scrollTop = this.chat.scrollHeight;
    this.#find(".down").hidden = true;
  }

  #retitle() {
    const thinks = this.bubbles.some((bubble) => bubble.state === "sending");
    const { members } = this.person;
    const title = members.length ? `群聊（${members.length}）` : TITLES[this.#side()];
    this.#find("h2").textContent = thinks ? "对方正在输入…" : title;
  }

  #offer() {
    const menu = MENUS[this.#side()];
    const isNew = this.bubbles.length === 0 && this.person.role === "resident";
    const choices = isNew ? STARTERS : choicesFor(this.person, this.bubbles);
    const offered = choices.filter((each) => !menu.some((item) => item.text === each.text));
    const key = JSON.stringify([this.person.name, offered]);
    if (key === this.offered) return;
    this.offered = key;
    const buttons = [...offered, ...menu].map((choice) => choiceButton(choice, this.#actions()));
    buttons.slice(offered.length).forEach((button) => button.classList.add("of-menu"));
    this.#find(".quick").replaceChildren(...buttons);
    this.#find(".quick").scrollLeft = 0;
  }

  // In a group somebody has to be chosen who speaks; into the room of alerts nobody writes.
  #seat() {
    const { role, members, speaker } = this.person;
    const isGroup = role === "group";
    this.#find(".line").hidden = role === "room";
    this.#find(".quick").hidden = role === "room" || isGroup;
    for (const name of [".talk", ".location", ".link"]) this.#find(name).hidden = isGroup;
    for (const name of [".member", ".at"]) this.#find(name).hidden = !isGroup;
    this.#find(".member").replaceChildren(...members.map((member) => element("option", { value: member }, member)));
    if (isGroup) this.#find(".member").value = speaker;
    for (const [button, tray] of TRAYS) {
      this.#find(tray).hidden = true;
      this.#find(button).setAttribute("aria-expanded", "false");
    }
  }

  #side() {
    if (this.person.members.length) return "group";
    if (this.person.role !== "resident") return "staff";
    return this.person.door === "kf" ? "kf" : "resident";
  }

  // --- sending

  // One after the other, so that several photos come in the order in which they were chosen. Tells whether it was sent.
  send(body) {
    this.trouble("");
    this.queue = this.queue
      .then(() => post("api/send", { person: this.person.name, member: this.person.speaker, at: this.#calls(), ...body }))
      .then(() => true)
      .catch((error) => {
        this.trouble(error.message);
        return false;
      });
    return this.queue;
  }

  async #openLink(bubble) {
    const { speaker } = this.person;
    if (await this.send({ kind: "open", bubble })) this.page.bring(`${speaker}·客服`);
  }

  #calls() {
    return this.#find(".at").getAttribute("aria-pressed") === "true";
  }

  #actions() {
    return {
      look: (bubble) => this.page.look(bubble.id),
      enlarge: (address) => this.page.enlarge(address),
      trouble: (words) => this.trouble(words),
      choose: (choice) => this.#choose(choice),
      openLink: (bubble) => this.#openLink(bubble),
      tapMenu: (bubble, key) => this.send({ kind: "menu", bubble, key }),
      tapButton: (bubble, key) => this.send({ kind: "button", bubble, key }),
    };
  }

  #choose(choice) {
    if (choice.draft) {
      this.words.value = choice.draft;
      this.words.focus();
      this.#wroteSomething();
    } else {
      this.send({ kind: choice.kind ?? "text", text: choice.text });
    }
  }

  #sendWords() {
    if (!this.words.value.trim()) return this.trouble("还没有写字，写点什么再发送。");
    const text = this.words.value;
    this.words.value = "";
    this.#wroteSomething();
    this.send({ kind: "text", text });
  }

  async #sendPhotos(input) {
    const photos = [...input.files];
    input.value = "";
    this.trouble("");
    const refused = photos.map(refusal).filter(Boolean);
    for (const photo of photos.filter((each) => !refusal(each))) {
      await this.send({ kind: "photo", name: photo.name, content: await base64(photo) });
    }
    if (refused.length) this.trouble(refused.join(" "));
  }

  // --- talking

  async #talk() {
    if (this.recorder.isOn) return;
    this.trouble("");
    const hold = this.#find(".hold");
    hold.dataset.held = "yes";
    try {
      await this.recorder.start((blob) => this.#spoken(blob));
      hold.textContent = "松开 发送";
      if (!hold.dataset.held) this.recorder.stop();
    } catch (error) {
      this.trouble(error.message);
    }
  }

  #stopTalking() {
    delete this.#find(".hold").dataset.held;
    this.recorder.stop();
  }

  async #spoken(blob) {
    this.#find(".hold").textContent = "按住 说话";
    if (!blob) return this.trouble("说话时间太短，请按住按钮再说。");
    this.send({ kind: "voice", text: this.#transcript(), content: await base64(blob) });
  }

  #transcript() {
    const field = this.#find(".voice input");
    const words = field.value;
    field.value = "";
    return words;
  }

  // --- set up

  #find(selector) {
    return this.root.querySelector(selector);
  }

  #fillOwners() {
    const groups = new Map(Object.values(ROLES).map((label) => [label, element("optgroup", { label })]));
    for (const { name, role } of this.people) groups.get(ROLES[role]).append(element("option", { value: name }, name));
    this.#find(".owner").append(...[...groups.values()].filter((group) => group.children.length));
    this.#find(".owner").addEventListener("change", (event) => this.page.give(this, event.target.value));
  }

  #addSamples(photos) {
    const buttons = photos.map((name) => element(
      "button",
      { type: "button", onclick: () => this.send({ kind: "sample", name }) },
      element("img", { src: `samples/${name}`, width: 96, height: 72, loading: "lazy", alt: `样本照片 ${name.replace("-1.jpg", "")}` }),
    ));
    this.#find(".samples").append(...buttons);
  }

  #listen() {
    this.#find(".line").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendWords();
    });
    this.words.addEventListener("input", () => this.#wroteSomething());
    this.words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#sendWords();
    });
    for (const name of [".album", ".camera"]) {
      this.#find(name).addEventListener("change", (event) => this.#sendPhotos(event.target));
    }
    this.#find(".member").addEventListener("change", (event) => {
      this.person.speaker = event.target.value;
      this.assign(this.person.name, this.bubbles);
      this.#find(".member").focus();
    });
    this.#find(".at").addEventListener("click", (event) => {
      event.currentTarget.setAttribute("aria-pressed", String(!this.#calls()));
    });
    this.#find(".location").addEventListener("click", () => this.send({ kind: "location" }));
    this.#find(".link").addEventListener("click", () => this.send({ kind: "link" }));
    this.#find(".down").addEventListener("click", () => this.toEnd());
    this.chat.addEventListener("scroll", () => {
      this.follows = this.chat.scrollHeight - this.chat.scrollTop - this.chat.clientHeight < NEAR;
      if (this.follows) this.#find(".down").hidden = true;
    }, { passive: true });
    this.#listenToTrays();
    this.#listenToVoice();
  }

  #listenToTrays() {
    const open = (opened) => {
      for (const [button, tray] of TRAYS) {
        this.#find(tray).hidden = tray !== opened;
        this.#find(button).setAttribute("aria-expanded", String(tray === opened));
      }
      this.toEnd();
    };
    for (const [button, tray] of TRAYS) {
      this.#find(button).addEventListener("click", () => open(this.#find(tray).hidden ? tray : null));
    }
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && open(null));
  }

  #listenToVoice() {
    const hold = this.#find(".hold");
    hold.addEventListener("pointerdown", () => this.#talk());
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) hold.addEventListener(end, () => this.#stopTalking());
    // From the keyboard one press begins and the next one ends.
    hold.addEventListener("click", (event) => {
      if (event.detail > 0) return;
      if (this.recorder.isOn) this.#stopTalking();
      else this.#talk();
    });
    this.#find(".fake").addEventListener("click", () => this.send({ kind: "voice", text: this.#transcript() }));
  }

  #wroteSomething() {
    const wrote = this.words.value !== "";
    this.#find(".send").hidden = !wrote;
    this.#find(".more").hidden = wrote;
    this.words.style.height = "auto";
    this.words.style.height = `${Math.min(this.words.scrollHeight + 2, 120)}px`;
  }
}

function refusal(photo) {
  if (photo.size === 0) return `“${photo.name}”是空的，没有发出去。`;
  if (photo.size > BIGGEST_PHOTO) {
    return `“${photo.name}”有 ${(photo.size / 1024 / 1024).toFixed(1)} MB，微信的照片最大 10 MB，没有发出去。`;
  }
  return photo.type.startsWith("image/") ? "" : `“${photo.name}”不是照片，没有发出去。`;
}

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("文件读不出来，请再选一次。"));
    reader.readAsDataURL(blob);
  });
}
