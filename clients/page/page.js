// page - the chat. Everything that is said to the server and heard from it stands here, with the
// client of clients/javascript (xsockets.min.js); how it looks is the business of view.js.
import { Log, announce, copies, face, fillCards, memory, placeOf, timeOf } from './view.js';

const $ = (id) => document.getElementById(id);

const LOBBY = 'lobby'; // the room of those who have chosen none: for the server its name is empty
const LONGEST = 2000; // characters of a message
const SHORT = 31; // bytes of a name, of a person and of a room

const place = placeOf(location);
const client = new XSockets.Client(place.ws, { timeout: 0, reconnect: { base: 500, cap: 8000 } });
const chat = client.controller('chat');
const online = client.controller('online');
const clock = client.controller('clock');

const log = new Log({ list: $('log'), outbox: $('outbox'), scroller: $('scroller'), more: $('more') });
const bytesOf = (text) => new TextEncoder().encode(text).length;

let name = memory.get('name') ?? someName();
let room;
const rooms = new Map([LOBBY, 'attic', 'workshop'].map((each) => [each, roomButton(each)]));

// ---- what is said in the room ----

// A message is what everybody can read, a display with two lines included: the text "anna: hello".
// It comes back from the server as to everybody else; until then it waits in the outbox.
function say(text) {
  const abort = new AbortController();
  const waiting = log.wait(`${name}: ${text}`, {
    fate: client.state === 'open' ? 'On its way' : 'Sent when the server is back',
    again: () => say(text),
    withdraw: () => abort.abort({ code: 'left' }),
  });
  chat.invoke('say', `${name}: ${text}`, { signal: abort.signal }).catch((error) => waiting.fail(reason(error)));
}

function reason(error) {
  switch (error.code) {
  case 'lost': return 'The connection was lost: nobody knows whether it was heard.';
  case 'full': return 'Too much is waiting already.';
  case 'server': return `Refused: ${error.message}.`;
  case 'left': return 'Not sent: it was meant for another room.';
  default: return 'Not sent.';
  }
}

chat.on('say', (data, { bytes }) => log.heard(data, bytes));

// ---- rooms ----

// The property `room` says where one is heard; it is set again by itself after every reconnect.
function enter(wanted) {
  room = wanted;
  if (client.state !== 'open') log.withdrawAll(); // it was meant for the room that is left
  chat.set('room', room === LOBBY ? '' : room, { keep: true })
    .catch((error) => error.code === 'lost' || log.notice(`This room could not be entered. ${reason(error)}`));
  log.notice(room === LOBBY
    ? 'This is the lobby: whoever says something to this port without choosing a room is heard here. Nothing is kept; you hear what is said from now on.'
    : `This is ${room}. It is there for as long as somebody is in it.`);
  memory.set('room', room);
  if (roomOfAddress() !== room) history.replaceState(null, '', hashOf(room));
  showRooms();
}

function showRooms() {
  if (!rooms.has(room)) rooms.set(room, roomButton(room));
  for (const [each, button] of rooms)
    button.setAttribute('aria-current', String(each === room));
  $('room-title').textContent = room;
  $('lobby').hidden = room === LOBBY;
  document.title = `${room} – xsocketsd`;
}

function roomButton(each) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = each;
  button.addEventListener('click', () => go(each));
  $('rooms').appendChild(document.createElement('li')).append(button);
  return button;
}

// The room stands in the address, so that it can be shared.
const hashOf = (wanted) => `#${encodeURIComponent(wanted)}`;

function go(wanted) {
  location.hash = hashOf(wanted);
  view('chat');
}

function roomOfAddress() {
  try {
    const wanted = decodeURIComponent(location.hash.slice(1)).trim();
    return wanted && bytesOf(wanted) <= SHORT && !/\p{Cc}/u.test(wanted) ? wanted : undefined; // NUL is refused
  } catch {
    return undefined; // no valid escapes
  }
}

addEventListener('hashchange', () => {
  const wanted = roomOfAddress() ?? LOBBY;
  if (wanted !== room) enter(wanted);
});

$('room').addEventListener('input', ({ target }) => target.setCustomValidity(
  bytesOf(target.value.trim()) > SHORT ? `A room's name has at most ${SHORT} bytes.` : ''));
$('room-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = $('room').value.trim();
  if (!wanted) return;
  go(wanted);
  $('room').value = '';
});
$('lobby').addEventListener('click', () => go(LOBBY));
copies($('link'), () => location.href);

// ---- who is here ----

function showWho({ count, names }) {
  const times = new Map();
  for (const each of names) times.set(each, (times.get(each) ?? 0) + 1);
  const lines = [...times].slice(0, 100).map(([each, n]) => person(each, n > 1 ? `× ${n}` : ''));
  const shown = [...times.values()].slice(0, 100).reduce((sum, n) => sum + n, 0);
  if (count > shown) lines.push(person('', `${count - shown} ${shown ? 'more' : 'without a name'}`));
  $('who').replaceChildren(...lines);
  $('who-count').textContent = count;
}

function person(each, more) {
  const item = document.createElement('li');
  const label = document.createElement('span');
  const rest = document.createElement('span');
  label.textContent = each;
  rest.textContent = more;
  rest.className = 'times';
  item.append(face(each), ...(each ? [label] : []), rest);
  return item;
}

const absent = (what) => () => log.notice(`This server does not tell ${what}.`);

// Published whenever somebody came, left or told a name.
online.subscribe('who', showWho).catch(absent('who is here'));

client.addEventListener('open', () => {
  online.publish('name', name);
  online.invoke('who').then(showWho, () => {});
  clock.invoke('time').then(showTime, () => {});
});

// ---- the clock ----

function showTime({ utc }) {
  $('clock').textContent = timeOf(new Date(utc), true);
  $('clock').dateTime = utc;
}

clock.subscribe('time', showTime).catch(absent('the time'));

// ---- the connection ----

let next = 0; // when it is tried again, in ms of performance.now()
let ticking;

function showState(state, text) {
  document.body.classList.toggle('away', state === 'away');
  if (state === 'away') $('who-count').textContent = '–';
  $('state').dataset.state = state;
  $('state-text').textContent = text;
}

function countDown() {
  const seconds = Math.ceil((next - performance.now()) / 1000);
  showState('away', seconds > 0 ? `Away, trying again in ${seconds} s` : 'Away, trying again …');
}

client.addEventListener('reconnecting', ({ detail: { delay } }) => {
  if ($('state').dataset.state !== 'away') announce('The server is away. This page tries again by itself.');
  next = performance.now() + delay;
  clearInterval(ticking);
  ticking = setInterval(countDown, 1000);
  countDown();
});

client.addEventListener('statechange', ({ detail: { state, previous } }) => {
  if (state !== 'waiting') clearInterval(ticking);
  if (state === 'open') {
    showState('open', `Connected to ${place.host}`);
    announce('Connected.');
  } else if (state === 'connecting') {
    if (previous === 'waiting') showState('away', 'Away, trying again …');
    else showState('connecting', 'Connecting …');
  }
});

client.addEventListener('close', ({ detail }) => {
  showState('away', detail.reason ? `Refused: ${detail.reason}` : 'The server does not take this page');
});

// An error of the server that answers no question of this page.
client.addEventListener('error', ({ detail: { error } }) => log.notice(`The server says: ${error.message}`));

client.addEventListener('gap', ({ detail: { away } }) => {
  log.notice(`The server was away for ${Math.max(1, Math.round(away / 1000))} s. What others said in that time was not heard here.`);
});

$('retry').addEventListener('click', () => {
  if (client.state === 'closed') client.open().catch(() => {});
  else client.retry();
});

// ---- what one types ----

function hint() {
  const { length } = $('text').value;
  let wrong = '';
  if (length > LONGEST) wrong = `${length} characters; a message has at most ${LONGEST}.`;
  $('text').setCustomValidity(wrong);
  $('hint').classList.toggle('wrong', wrong !== '' || !$('name').validity.valid);
  const said = wrong || $('name').validationMessage || 'Enter says it. Shift+Enter: a new line.';
  if ($('hint').textContent !== said) $('hint').textContent = said;
}

$('name').addEventListener('input', ({ target }) => {
  const wanted = target.value.trim();
  target.setCustomValidity(
    wanted === '' ? 'Others need a name to call you.'
      : bytesOf(wanted) > SHORT ? `A name has at most ${SHORT} bytes.`
        : wanted.includes(':') ? 'A name has no colon.' : '');
  hint();
});
$('name').addEventListener('change', ({ target }) => {
  const wanted = target.value.trim();
  if (!target.validity.valid || wanted === name) return;
  name = wanted;
  memory.set('name', name);
  if (client.state === 'open') online.publish('name', name);
});

$('text').addEventListener('input', hint);
$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('say').requestSubmit();
});
$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text) say(text);
  $('text').value = '';
  $('text').focus();
});

function someName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  const given = `${pick(['quiet', 'early', 'amber', 'brisk', 'mossy', 'sunny'])} ${pick(['otter', 'finch', 'maple', 'heron', 'badger', 'willow'])}`;
  memory.set('name', given);
  return given;
}

// ---- the parts of the page, on a phone one at a time ----

function view(part) {
  document.body.dataset.view = part;
  for (const button of document.querySelectorAll('nav button'))
    button.setAttribute('aria-pressed', String(button.dataset.show === part));
}
for (const button of document.querySelectorAll('nav button'))
  button.addEventListener('click', () => view(button.dataset.show));

$('name').value = name;
$('clock').textContent = timeOf(new Date(), true); // its place; seen when the server has told it
hint();
fillCards(place);
enter(roomOfAddress() ?? memory.get('room') ?? LOBBY);
client.open().catch(() => {});
