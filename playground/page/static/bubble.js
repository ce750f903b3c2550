// One bubble on a phone's screen, and what can be tapped because of it.

import { element } from "./api.js";

const BOT = "群答小助手";
const GAP = 5 * 60 * 1000; // a time stands above a bubble that comes so long after the one before
const CARD = /^【.*】/;
const COMMAND = /(接单|同意|拒绝|回复|解决|看) ?(\d{4,})( (?:文字|原因))?/;
const UNKNOWN = /没有找到工单/;
const CHOICE = /^\s*(\d)\s*[.．、]\s*(.+)$/;
const ADDRESS = /(https?:\/\/[!-~]+)/;
const STATES = { sending: "发送中", delivered: "已送达", failed: "没有送到" };

export function render(bubble, person, before, actions) {
  const time = before && new Date(bubble.at) - new Date(before.at) < GAP ? [] : [clock(bubble.at)];
  if (bubble.kind === "notice" || bubble.kind === "event") {
    return [...time, element("p", { class: "notice", "data-id": bubble.id }, bubble.text)];
  }
  if (bubble.speaker === "person" && person.speaker && bubble.name !== person.speaker) {
    return [...time, another(bubble, person, actions)];
  }
  const own = bubble.speaker === "person";
  const byHand = bubble.speaker === "staff";
  const row = element(
    "div",
    { class: own ? "row own" : "row", "data-id": bubble.id },
    element("span", { class: `avatar ${own ? person.role : byHand ? "agent" : "bot"}`, "aria-hidden": "true" },
      own ? (person.speaker ?? person.name)[0] : byHand ? "客" : "群"),
    element("div", { class: "body" },
      element("span", { class: "unseen" }, `${own ? person.speaker ?? person.name : byHand ? "客服" : BOT}：`),
      ...content(bubble, person, actions)),
    own ? stateOf(bubble) : null,
  );
  if (own) row.addEventListener("click", () => actions.look(bubble));
  return [...time, row];
}

// What another member of the group says.
function another(bubble, person, actions) {
  const row = element("div", { class: "row", "data-id": bubble.id },
    element("span", { class: "avatar leader", "aria-hidden": "true" }, bubble.name[0]),
    element("div", { class: "body" }, element("p", { class: "said-by" }, bubble.name), ...content(bubble, person, actions)));
  row.addEventListener("click", () => actions.look(bubble));
  return row;
}

export function stateOf(bubble) {
  const words = STATES[bubble.state] ?? "";
  return element("span", { class: `state ${bubble.state}`, role: "img", "aria-label": words, title: words });
}

function clock(at) {
  const moment = new Date(at);
  const time = moment.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
  const today = moment.toDateString() === new Date().toDateString();
  return element("p", { class: "time" }, today ? time : `${moment.getMonth() + 1}月${moment.getDate()}日 ${time}`);
}

function content(bubble, person, actions) {
  const quote = bubble.quote ? [element("p", { class: "quote" }, bubble.quote)] : [];
  return [...inside(bubble, person, actions), ...quote];
}

function inside(bubble, person, actions) {
  if (bubble.menu) return [menu(bubble, actions)];
  if (bubble.card) return [templateCard(bubble.id, bubble.cards[person.speaker] ?? bubble.card, actions)];
  if (bubble.kind === "image" && bubble.media) {
    return bubble.text ? [picture(bubble, actions), element("p", { class: "text" }, bubble.text)] : [picture(bubble, actions)];
  }
  if (bubble.kind === "voice" && bubble.media) return sound(bubble, actions);
  if (bubble.kind === "video") return [element("p", { class: "text thing" }, "🎬 视频")];
  if (bubble.kind === "location") return [element("p", { class: "text thing" }, `📍 ${bubble.text}`)];
  if (bubble.kind === "link") return [element("p", { class: "text thing" }, `🔗 ${bubble.text}`)];
  if (bubble.speaker !== "person" && person.role !== "resident" && CARD.test(bubble.text)) return [card(bubble, actions)];
  const parts = person.members.length && bubble.speaker === "bot" ? bubble.text.split(ADDRESS) : [bubble.text];
  return [element("p", { class: "text" }, ...parts.map((part) => ADDRESS.test(part) ? address(part, bubble, actions) : part))];
}

// A link in a group: whoever speaks there opens it.
function address(words, bubble, actions) {
  return element("button", { type: "button", class: "address", onclick: (event) => {
    event.stopPropagation();
    actions.openLink(bubble.id);
  } }, words);
}

function picture(bubble, actions) {
  const { width, height } = bubble.media;
  const image = element("img", { src: `media/${bubble.id}`, width, height, alt: "照片" });
  return element("button", { type: "button", class: "picture", onclick: (event) => {
    event.stopPropagation();
    actions.enlarge(image.src);
  } }, image);
}

function sound(bubble, actions) {
  const length = bubble.media.seconds ? `${bubble.media.seconds}″` : "";
  const play = (event) => {
    event.stopPropagation();
    new Audio(`media/${bubble.id}`).play().catch(() => actions.trouble("这段语音是微信的 AMR 格式，浏览器放不了。"));
  };
  const button = element("button", { type: "button", class: "text sound", "aria-label": `放语音 ${length}`, onclick: play },
    element("span", { class: "waves", "aria-hidden": "true" }), `语音 ${length}`);
  return bubble.text ? [button, element("p", { class: "heard" }, bubble.text)] : [button];
}

// A menu in a message: lines to tap, between a head and a tail.
function menu({ id, menu: { head, items, tail } }, actions) {
  const line = (item) => item.kind !== "click" ? element("p", { class: "menu-line" }, item.text)
    : element("button", { type: "button", class: "menu-line", onclick: (event) => {
      event.stopPropagation();
      actions.tapMenu(id, item.id || item.text);
    } }, item.text);
  return element("div", { class: "text menu-text", role: "group", "aria-label": head || "请选择" },
    head ? element("p", {}, head) : null,
    ...items.map(line),
    tail ? element("p", { class: "menu-tail" }, tail) : null);
}

// A template card as it looks now: with its buttons, or with what stands in their place.
function templateCard(id, card, actions) {
  const button = ({ key, text }) => element("button", { type: "button", onclick: (event) => {
    event.stopPropagation();
    actions.tapButton(id, key);
  } }, text);
  const facts = card.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  const words = [card.description, card.text, card.quote].filter(Boolean).join("\n");
  return element("div", { class: "card", role: "group", "aria-label": `卡片：${card.title || card.text}` },
    card.source ? element("p", { class: "card-source" }, card.source) : null,
    card.title ? element("p", { class: "card-title" }, card.title) : null,
    words ? element("p", { class: "card-text" }, words) : null,
    facts.length ? element("dl", { class: "card-facts" }, ...facts) : null,
    card.replaced ? element("p", { class: "card-replaced" }, card.replaced) : null,
    card.buttons.length && !card.replaced ? element("div", { class: "card-buttons" }, ...card.buttons.map(button)) : null,
    card.menu.length ? element("div", { class: "card-buttons" }, ...card.menu.map(button)) : null);
}

// A ticket's notice as a card: its lines that name a command become buttons.
function card(bubble, actions) {
  const lines = bubble.text.split("\n");
  const said = lines.slice(1).filter((line) => !COMMAND.test(line));
  const buttons = commandsIn(bubble.text).map((command) => choiceButton(command, actions));
  return element("div", { class: "card" },
    element("p", { class: "card-title" }, lines[0]),
    element("p", { class: "card-text" }, said.join("\n")),
    buttons.length ? element("div", { class: "card-buttons" }, ...buttons) : null);
}

export function choiceButton(choice, actions) {
  const label = choice.draft ? `${choice.label}…` : choice.label;
  return element("button", { type: "button", onclick: (event) => {
    event.stopPropagation();
    actions.choose(choice);
  } }, label);
}

function commandsIn(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const match = COMMAND.exec(line);
    if (!match) continue;
    const label = `${match[1]} ${match[2]}`;
    found.set(label, match[3] ? { label, draft: `${label} ` } : { label, text: label });
  }
  return [...found.values()];
}

// What a person may want to answer, read from what was said to her last.
export function choicesFor(person, bubbles) {
  const heard = bubbles.filter((bubble) => bubble.speaker === "bot" && bubble.text);
  return person.role === "resident" ? answersTo(heard.at(-1)?.text ?? "") : commandsFor(heard);
}

function answersTo(text) {
  const found = new Map();
  for (const line of text.includes("数字") ? text.split("\n") : []) {
    const match = CHOICE.exec(line);
    if (match) found.set(match[1], { label: `${match[1]}. ${match[2]}`, text: match[1] });
  }
  for (const [, words] of text.matchAll(/(?:回|发|说|比如|”)“([^”]{1,6})”/g)) found.set(words, { label: words, text: words });
  return [...found.values()].slice(0, 6);
}

function commandsFor(heard) {
  const last = heard.findLast((bubble) => /工单 \d{4,}/.test(bubble.text) && !UNKNOWN.test(bubble.text));
  if (!last) return [];
  const number = /工单 (\d{4,})/.exec(last.text)[1];
  const about = heard.filter((bubble) => bubble.text.includes(`工单 ${number}`));
  const commands = about.map((bubble) => commandsIn(bubble.text)).findLast((found) => found.length) ?? [];
  const look = { label: `看 ${number}`, text: `看 ${number}` };
  return [...commands.filter((command) => command.label !== look.label), look];
}
