// The page: everybody's phones, the stream of what happens, and the controls of the demo.

import { element, get, post } from "./api.js";
import { Panel } from "./panel.js";
import { Phone } from "./phone.js";

// At first there is a phone of each kind: a resident at each door, the elderly one with large letters, those who see to
// them, and the chats that several share. Whoever is not in this demo is left out.
const OWNERS = ["刘建国", "王桂兰", "刘建国·客服", "张团长", "小陈", "阳光花园服务群", "客服值班群"];
const SLOTS = { leader: "张团长", agent: "小陈", supervisor: "小陈", group: "阳光花园服务群", room: "客服值班群" };
const ENDINGS = {
  ended: () => "演完了，每一句都和剧本一样。",
  stopped: () => "停下了。",
  otherwise: ({ expected }) => `和剧本不一样，停在${expected}。演过一遍的剧本要先按“从头来”，才能再演。`,
};

class Page {
  sent = []; // what people sent, oldest first
  #chats = new Map();
  #refresh = 0;
  #isCutOff = false;

  constructor(scene) {
    this.scene = scene;
    this.panel = new Panel(this);
    this.places = OWNERS.filter((name) => scene.people.some((each) => each.name === name));
    this.inside = this.places.length; // the tab of the panel
    this.phones = this.places.map((name, number) => this.#addPhone(name, number));
    this.#addTab("机器人", this.inside);
    this.turnTo(0);
    document.getElementById("script").append(
      ...scene.scenarios.map(({ name, label }) => element("option", { value: name }, label)));
    document.querySelector(".door").hidden = !scene.people.some(({ door }) => door === "kf");
    this.#listen();
    this.#connect();
  }

  // --- phones

  // Gives a phone to somebody; whoever had it before gets the phone she had.
  give(phone, name) {
    const other = this.phones.find((each) => each !== phone && each.person.name === name);
    const before = phone.person.name;
    this.#assign(phone, name);
    if (other) this.#assign(other, before);
  }

  turnTo(number) {
    this.shown = number;
    [...document.getElementById("tabs").children].forEach((tab, place) => {
      tab.setAttribute("aria-pressed", String(place === number));
      if (place === number) tab.classList.remove("unread");
    });
    this.phones.forEach((phone, place) => phone.root.classList.toggle("shown", place === number));
    this.phones[number]?.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (this.phones[number]?.follows) this.phones[number].toEnd(); // a hidden one could not be scrolled
    document.getElementById("panel").classList.toggle("shown", number === this.inside);
  }

  // Shows somebody's phone, in the place of another one if need be.
  bring(name) {
    this.#castPhones([name]);
    this.turnTo(this.phones.findIndex((phone) => phone.person.name === name));
  }

  #addPhone(name, number) {
    const phone = new Phone(this.scene, this);
    this.#addTab(name, number);
    this.#assign(phone, name, number);
    document.getElementById("phones").append(phone.root);
    return phone;
  }

  #addTab(name, number) {
    document.getElementById("tabs").append(
      element("button", { type: "button", "aria-pressed": "false", onclick: () => this.turnTo(number) }, name));
  }

  #assign(phone, name, number = this.phones.indexOf(phone)) {
    phone.assign(name, this.#chats.get(name) ?? []);
    document.getElementById("tabs").children[number].textContent = name;
  }

  // --- what happens

  #connect() {
    const events = new EventSource("api/events");
    events.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    events.addEventListener("open", () => this.#say(""));
    events.addEventListener("error", () => {
      this.#isCutOff = true;
      this.#say("和演示程序断开了，正在重连…");
    });
  }

  #take({ fresh, bubbles, playing }) {
    if (fresh) this.#empty();
    this.#follow(playing);
    if (fresh && this.#isCutOff) this.#say("演示程序重新启动了，手机上的聊天没有了；机器人都还记得。");
    this.#isCutOff = false;
    const known = new Set(this.sent.map(({ id }) => id));
    const news = Map.groupBy(bubbles, ({ person }) => person);
    for (const [name, theirs] of news) this.#keep(name, theirs);
    this.phones.forEach((phone, number) => {
      const theirs = news.get(phone.person.name);
      if (!theirs) return;
      phone.show(theirs);
      if (!fresh && theirs.some((each) => each.speaker !== "person")) this.#tell(number, playing);
      if (!fresh && playing?.state === "playing" && theirs.some((each) => each.speaker === "person")) this.#turnWhilePlaying(number);
    });
    const latest = this.sent.at(-1);
    if (latest && !known.has(latest.id)) this.look(latest.id);
    else if (latest) this.#refreshPanel();
  }

  #keep(name, theirs) {
    const chat = this.#chats.get(name) ?? [];
    for (const bubble of theirs) {
      for (const list of bubble.speaker === "person" ? [chat, this.sent] : [chat]) {
        const place = list.findIndex((each) => each.id === bubble.id);
        if (place < 0) list.push(bubble);
        else list[place] = bubble;
      }
    }
    this.sent.sort((one, other) => one.id - other.id);
    this.#chats.set(name, chat);
  }

  #empty() {
    this.#chats.clear();
    this.sent = [];
    this.panel.clear();
    this.phones.forEach((phone, number) => this.#assign(phone, phone.person.name, number));
  }

  #tell(number, playing) {
    if (isSeen(this.phones[number].root)) return;
    if (playing?.state === "playing") this.#turnWhilePlaying(number);
    else document.getElementById("tabs").children[number].classList.add("unread");
  }

  // --- the panel

  look(id) {
    for (const phone of this.phones) phone.mark(id);
    this.panel.show(id);
  }

  // What follows from a message comes a moment later: jobs, notices, calls.
  #refreshPanel() {
    clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => this.panel.id && this.panel.show(this.panel.id), 300);
  }

  enlarge(address) {
    const viewer = document.getElementById("viewer");
    viewer.querySelector("img").src = address;
    viewer.showModal();
  }

  // --- the demo's controls

  #turnWhilePlaying(number) {
    if (this.shown !== this.inside) this.turnTo(number);
  }

  #follow(playing) {
    const isOn = playing?.state === "playing";
    document.body.classList.toggle("playing", isOn);
    document.getElementById("play").hidden = isOn;
    document.getElementById("stop").hidden = !isOn;
    if (!playing) return;
    if (isOn) {
      this.#castPhones(playing.cast);
      document.getElementById("script").value = playing.name;
      this.#say(`正在演 ${playing.step}/${playing.steps}：${playing.label}`);
    } else {
      this.#say(ENDINGS[playing.state](playing));
    }
  }

  #castPhones(cast) {
    for (const name of cast) {
      if (this.phones.some((phone) => phone.person.name === name)) continue;
      const wanted = this.phones[this.places.indexOf(this.#placeOf(name))];
      const phone = [wanted, ...this.phones].find((each) => !cast.includes(each.person.name));
      if (phone) this.give(phone, name);
    }
  }

  // Whose place somebody takes who has no phone on the page yet.
  #placeOf(name) {
    const { role, elder, door } = this.scene.people.find((each) => each.name === name);
    return SLOTS[role] ?? (door === "kf" ? "刘建国·客服" : elder ? "王桂兰" : "刘建国");
  }

  #say(words) {
    const line = document.getElementById("status");
    if (line.textContent !== words) line.textContent = words;
  }

  #openControls(open) {
    document.getElementById("controls").classList.toggle("open", open);
    document.getElementById("menu").setAttribute("aria-expanded", String(open));
  }

  #listen() {
    const attempt = (act) => async () => {
      try {
        await act();
      } catch (error) {
        this.#say(error.message);
      }
    };
    const on = (id, act) => document.getElementById(id).addEventListener("click", attempt(act));
    on("play", () => {
      this.#openControls(false);
      const [scenario, door] = ["script", "door"].map((id) => document.getElementById(id).value);
      return post("api/play", { scenario, door });
    });
    on("stop", () => post("api/stop"));
    document.getElementById("phones").addEventListener("scroll", () => this.phones.forEach((phone, number) => {
      if (isSeen(phone.root)) document.getElementById("tabs").children[number].classList.remove("unread");
    }), { passive: true });
    on("reset", () => document.getElementById("sure").showModal());
    on("menu", () => this.#openControls(!document.getElementById("controls").classList.contains("open")));
    document.getElementById("sure").addEventListener("close", attempt(async () => {
      if (document.getElementById("sure").returnValue !== "yes") return;
      this.#openControls(false);
      this.#say("正在清空…");
      await post("api/reset");
      this.#say("都清空了，从头来吧。");
    }));
  }
}

// Whether most of a phone is in sight: on a narrow screen one is, on a wide one as many as fit.
function isSeen(phone) {
  const { left, right, width } = phone.getBoundingClientRect();
  const strip = phone.parentElement.getBoundingClientRect();
  return width > 0 && left > strip.left - width / 2 && right < strip.right + width / 2;
}

new Page(await get("api/scene"));
