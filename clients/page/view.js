// view - what is seen: the log, faces, the lines to copy. Knows nothing of the connection.
//
// What came over the wire only ever becomes text (textContent), never HTML.

const ENTRIES = 500; // of the log; older ones go
const SHOWN = 4000; // characters of one message

function make(tag, className, text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const [short, long] = [undefined, '2-digit'].map((second) =>
  new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second }));

export function timeOf(date, seconds = false) {
  return (seconds ? long : short).format(date);
}

// A coloured disc with the first letter; of nobody in particular without a name.
export function face(name) {
  const disc = make('span', 'face', name ? [...name][0].toUpperCase() : '·');
  let hue = 0;
  for (const c of name) hue = (hue * 31 + c.codePointAt(0) * 47) % 360;
  disc.setAttribute('aria-hidden', 'true');
  if (name) disc.style.setProperty('--hue', hue);
  return disc;
}

// For who does not see the page.
export function announce(sentence) {
  document.getElementById('announced').textContent = sentence;
}

// ---- the log ----

// Who said it and what: of the text "anna: hello" the part before the colon, if it can be a name.
// What is no text is shown as JSON.
function read(data, bytes) {
  const named = typeof data === 'string' ? /^(.{1,31}?): ([^]*)$/u.exec(data) : null;
  let text = named ? named[2] : typeof data === 'string' ? data : JSON.stringify(data);
  if (bytes) text = `${bytes.length} bytes${text === '{}' ? '' : ` with ${text}`}`;
  return { name: named ? named[1] : '', text, plain: typeof data === 'string' && !bytes };
}

function entry({ name, text, plain }, date = new Date()) {
  const item = make('li', 'said');
  const time = make('time', '', timeOf(date));
  const said = make('p', plain ? '' : 'data', text.slice(0, SHOWN));
  time.dateTime = date.toISOString();
  if (text.length > SHOWN) said.append(make('span', 'more-of-it', ` … (${text.length} characters in all)`));
  item.append(face(name), make('span', name ? 'name' : 'name nameless', name || 'without a name'), time, said);
  item.dataset.name = name;
  return item;
}

export class Log {
  #parts;
  #arrived = []; // what is not on the page yet
  #timer;
  #shown = 0; // when, in ms of performance.now()
  #waiting = []; // what was said here and has not come back
  #follow = true; // the end is in sight

  constructor(parts) { // list, outbox, scroller, more
    const { scroller, more } = parts;
    this.#parts = parts;
    scroller.addEventListener('scroll', () => {
      this.#follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
      if (this.#follow) more.hidden = true;
    });
    more.addEventListener('click', () => { scroller.focus(); this.#toEnd(); });
    new ResizeObserver(() => this.#follow && this.#toEnd()).observe(scroller);
  }

  // Something was said in the room, perhaps by us.
  heard(data, bytes) {
    const own = this.#waiting.findIndex((each) => each.text === data && !each.failed);
    const instead = own >= 0 ? this.#waiting.splice(own, 1)[0].item : undefined;
    const said = read(data, bytes);
    const date = new Date();
    this.#add(() => {
      const item = entry(said, date);
      item.classList.toggle('mine', instead !== undefined);
      return item;
    }, instead);
  }

  notice(sentence) {
    this.#add(() => make('li', 'notice', sentence));
  }

  // Something was said here. It waits until it is heard, or until fail() says why it will not be.
  wait(text, { fate, again, withdraw }) {
    const item = entry(read(text));
    const line = item.appendChild(make('span', 'fate', fate));
    const waiting = { text, item, failed: false, withdraw };
    const remove = () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      item.remove();
    };
    const button = (label, run) => {
      const made = make('button', 'small', label);
      made.type = 'button';
      made.addEventListener('click', () => { remove(); this.#parts.scroller.focus(); run?.(); });
      return made;
    };
    this.#waiting.push(waiting);
    this.#parts.outbox.append(item);
    this.#toEnd();
    return {
      fail: (why) => {
        if (!this.#waiting.includes(waiting)) return; // it was heard after all
        waiting.failed = true;
        item.classList.add('failed');
        line.replaceChildren(why, button('Send again', again), button('Discard'));
        if (this.#follow) this.#toEnd();
      },
    };
  }

  withdrawAll() {
    for (const each of this.#waiting) each.withdraw();
  }

  // However much comes, the page is laid out ten times a second, and what would be gone by then is
  // not even built.
  #add(build, instead) {
    this.#arrived.push({ build, instead });
    if (this.#arrived.length > ENTRIES) this.#arrived.shift().instead?.remove();
    this.#timer ??= setTimeout(() => this.#show(), this.#shown + 100 - performance.now());
  }

  #show() {
    const { list, more } = this.#parts;
    this.#timer = undefined;
    this.#shown = performance.now();
    for (const { build, instead } of this.#arrived) {
      const item = build();
      const before = list.lastElementChild;
      if (before?.classList.contains('said') && item.classList.contains('said'))
        item.classList.toggle('again', before.dataset.name === item.dataset.name
          && before.classList.contains('mine') === item.classList.contains('mine'));
      list.append(item);
      instead?.remove();
    }
    this.#arrived = [];
    while (list.childElementCount > ENTRIES) list.firstElementChild.remove();
    if (this.#follow) this.#toEnd();
    else more.hidden = false;
  }

  #toEnd() {
    const { scroller, more } = this.#parts;
    scroller.scrollTop = scroller.scrollHeight;
    this.#follow = true;
    more.hidden = true;
  }
}

// ---- the lines to be another client ----

// Where the server is: where the page came from, or ?server=ws://host:port. What is no plain name or
// address, or looks like an option, has no business in a line that people copy into a shell.
export function placeOf(location) {
  const asked = new URLSearchParams(location.search).get('server');
  const own = location.host ? location.href.replace(/^http/, 'ws') : 'ws://127.0.0.1:4502';
  for (const each of [asked, own]) {
    if (!URL.canParse(each ?? '')) continue;
    const { protocol, host, hostname } = new URL(each);
    if (!/^wss?:$/.test(protocol) || !/^[a-z0-9[][a-z0-9._:[\]-]*$/.test(host)) continue;
    const secure = protocol === 'wss:';
    return {
      ws: `${protocol}//${host}`,
      http: `http${secure ? 's' : ''}://${host}`,
      host,
      name: hostname.replace(/[[\]]/g, ''), // an IPv6 address, as nc takes it
      port: new URL(each).port || (secure ? '443' : '80'),
    };
  }
  throw new Error(`no server in ${location.href}`);
}

// {host}, {port}, {ws} and {http} in the lines; beside the sentence above each block a button to copy it.
export function fillCards({ ws, http, name, port }) {
  const words = { '{host}': name, '{port}': port, '{ws}': ws, '{http}': http };
  for (const block of document.querySelectorAll('details pre')) {
    const text = block.textContent.replace(/\{(host|port|ws|http)\}/g, (word) => words[word]);
    const told = make('div', 'told');
    const button = make('button', 'small', 'Copy');
    button.type = 'button';
    block.replaceChildren(...text.split(/^/m).map((line) => make('span', '', line)));
    const sentence = block.previousElementSibling;
    sentence.replaceWith(told);
    told.append(sentence, button);
    copies(button, () => `${text}\n`);
  }
}

// The button copies what text() gives. Pages that came over plain http from another machine have no
// navigator.clipboard; the old way does there.
export function copies(button, text) {
  const label = button.textContent;
  button.addEventListener('click', async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      done = copyOldWay(text());
      button.focus();
    }
    button.textContent = done ? 'Copied' : 'Not copied';
    announce(done ? 'Copied.' : 'Not copied.');
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}

function copyOldWay(text) {
  const field = make('textarea', 'unseen');
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}

// ---- what is kept between visits ----

// A browser may forbid it; then it is as if it were the first visit.
export const memory = {
  get(key) {
    try { return localStorage.getItem(`xsocketsd ${key}`); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(`xsocketsd ${key}`, value); } catch { /* then not */ }
  },
};
