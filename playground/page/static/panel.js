// What the bot made of one message: understood, received, written, called.

import { element, get } from "./api.js";

const MOODS = { angry: "生气", disappointed: "失望", anxious: "着急", neutral: "平静", pleased: "满意" };
const DECISIONS = { answer: "直接回答", skill: "交给一项本领", clarify: "再问一句", handoff: "请人来" };
const OUTCOMES = { handled: "已处理", ignored: "没有处理", throttled: "发得太快，先缓一缓", failed: "处理时出错" };
const TABLES = {
  claims: "报损 claims", tickets: "工单 tickets", ticket_events: "工单经过 ticket_events",
  attachments: "附件 attachments", outbox: "发件 outbox", message: "收件 inbox",
};
const LEFT_OUT = ["conversation_id", "payload", "key", "lease_until", "due_at", "expires_at", "created_at"];

export class Panel {
  constructor(page) {
    this.page = page;
    this.body = document.getElementById("panel-body");
    this.about = document.getElementById("panel-about");
    this.earlier = document.getElementById("earlier");
    this.later = document.getElementById("later");
    this.earlier.addEventListener("click", () => this.page.look(this.#neighbour(-1).id));
    this.later.addEventListener("click", () => this.page.look(this.#neighbour(1).id));
    document.getElementById("fold").addEventListener("click", (event) => this.#fold(event.target));
  }

  clear() {
    this.id = null;
    this.about.textContent = "发一条消息，这里会说明机器人听懂了什么、做了什么。";
    this.earlier.disabled = this.later.disabled = true;
    this.body.replaceChildren();
  }

  async show(id) {
    this.id = id;
    const bubble = this.page.sent.find((each) => each.id === id);
    if (!bubble) return;
    this.about.textContent = `${bubble.person}：${bubble.text || { image: "照片", voice: "语音" }[bubble.kind] || ""}`;
    this.earlier.disabled = !this.#neighbour(-1);
    this.later.disabled = !this.#neighbour(1);
    let told;
    try {
      told = await get(`api/inside/${id}`);
    } catch (error) {
      told = { failed: error.message };
    }
    if (this.id === id) this.#fill(told);
  }

  #neighbour(step) {
    const sent = this.page.sent;
    return sent[sent.findIndex((each) => each.id === this.id) + step];
  }

  #fold(button) {
    const folded = document.body.classList.toggle("folded");
    button.textContent = folded ? "展开" : "收起";
    button.setAttribute("aria-expanded", String(!folded));
  }

  #fill(told) {
    if (told.failed) return this.body.replaceChildren(element("p", { class: "empty" }, told.failed));
    if (told.state === "sending") return this.body.replaceChildren(element("p", { class: "empty" }, "还在路上…"));
    const open = new Set([...this.body.querySelectorAll("details[open]")].map((each) => each.dataset.name));
    this.body.replaceChildren(
      section("听懂了什么", ...understood(told)),
      section("回调", ...received(told)),
      section("写下的记录", ...written(told)),
      section("调用的接口", ...called(told)),
    );
    for (const each of this.body.querySelectorAll("details")) each.open ||= open.has(each.dataset.name);
  }
}

function section(title, ...children) {
  return element("section", { tabindex: "0", "aria-label": title }, element("h3", {}, title), ...children);
}

function understood({ bot, problem }) {
  if (!bot) return [element("p", { class: "empty" }, problem)];
  if (!bot.message) return [element("p", { class: "empty" }, "机器人没有这条消息的记录：回调没有被收下。")];
  const { handler, note, outcome } = bot.message;
  const handled = facts([["由谁处理", handler || "没有谁"], ["做了什么", note], ["结果", OUTCOMES[outcome]]]);
  const reading = bot.understanding;
  if (!reading) return [handled, element("p", { class: "empty" }, "工作人员的命令，或没有文字的消息，不用理解。")];
  return [
    handled,
    element("p", { class: "label" }, "单看这句话"),
    facts([
      ["最接近的问题", reading.entry],
      ["把握", gauge(reading.confidence)],
      ["怎么办", DECISIONS[reading.decision]],
      ["心情", `${MOODS[reading.mood]}，低落 ${percent(reading.low_mood)}`],
      ["轻重", reading.priority],
      ["问题种类", reading.kinds.join("、")],
      ["说到", Object.entries(reading.slots).map(([name, value]) => `${name} ${plain(value)}`).join("，")],
      ["其次", reading.others.map(({ entry, confidence }) => `${entry} ${percent(confidence)}`).join("，")],
    ]),
    element("p", { class: "label" }, "理由"),
    element("ul", {}, ...reading.why.map((reason) => element("li", {}, reason))),
  ];
}

function received({ document, tries, address }) {
  return [
    ...tries.map((each, number) => facts([
      [tries.length > 1 ? `第 ${number + 1} 次` : "回应", each.status ? `HTTP ${each.status}，${each.milliseconds} 毫秒` : "没有回应"],
    ])),
    folded("解密后的回调", pretty(document), true),
    folded("收到时的样子（签名、加密）", `POST ${new URL(address).pathname}?${new URLSearchParams(tries[0].query)}\n\n${tries[0].body}`),
    ...tries.filter((each) => each.opened).slice(0, 1).map((each) => folded("回答，解密后", pretty(each.opened), true)),
    ...tries.filter((each) => each.answer).slice(0, 1).map((each) => folded("回答，发出时的样子", each.answer)),
  ];
}

function written({ bot }) {
  if (!bot?.message) return [element("p", { class: "empty" }, "没有。")];
  const tables = { message: [bot.message], ...bot.records };
  const state = bot.conversation;
  return [
    ...Object.keys(TABLES).filter((name) => tables[name]?.length).map((name) => element(
      "div", { class: "records" },
      element("p", { class: "label" }, TABLES[name]),
      ...tables[name].map((row) => facts(columns(name, row))),
    )),
    element("p", { class: "label" }, "对话现在的状态"),
    facts([["谁在说话", state.holder ?? "机器人"], ["正在办", state.flow ? plain(state.flow) : "没有"]]),
  ];
}

function columns(table, row) {
  const text = table === "outbox" ? row.payload?.text ?? "附件" : null;
  const kept = Object.entries(row).filter(([name]) => !LEFT_OUT.includes(name)).map(([name, value]) => [name, plain(value)]);
  return text === null ? kept : [["text", text], ...kept];
}

function called({ calls }) {
  if (!calls.length) return [element("p", { class: "empty" }, "没有：话都在回调的回答里说了。")];
  return calls.map((call, number) => folded(
    `${call.method} ${call.path}`,
    `${call.platform}\n发出 ${body(call.sent)}\n回答 ${body(call.answered)}`, false, `call ${number}`,
  ));
}

function body(value) {
  return value === null ? "（文件或空）" : JSON.stringify(value, null, 1);
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function folded(title, text, open = false, name = title) {
  return element("details", { open, "data-name": name }, element("summary", {}, title), element("pre", {}, text));
}

function gauge(share) {
  const meter = element("meter", { min: 0, max: 1, value: share, "aria-label": "把握" });
  return element("span", { class: "gauge" }, meter, percent(share));
}

function percent(share) {
  return `${Math.round(share * 100)}%`;
}

function plain(value) {
  return typeof value === "object" ? value.said ?? JSON.stringify(value) : String(value);
}

function pretty(document) {
  if (document.startsWith("{")) return JSON.stringify(JSON.parse(document), null, 1);
  return document.replace(/(<\/\w+>|^<xml>)(?=<)/g, "$1\n");
}
