// Talking to the playground: JSON in, JSON out, and what went wrong in words.

export async function get(path) {
  return answered(await reach(path));
}

export async function post(path, body = {}) {
  return answered(await reach(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }));
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Error("连不上演示程序，请看看 ./qunda up 是不是还在运行。");
  }
}

async function answered(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const told = isJson ? await response.json() : { problem: await response.text() };
  if (!response.ok) throw new Error(isJson && told.problem ? told.problem : `没有办成（HTTP ${response.status}）。`);
  return told;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}
