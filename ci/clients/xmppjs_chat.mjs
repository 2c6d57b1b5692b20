// Two accounts chat through a running node with xmpp.js, over STARTTLS and over direct TLS.
//
//     xmppjs_chat.mjs HOST PORT DIRECT_TLS_PORT
//
// The accounts alice@localhost and bob@localhost must exist; their password is in CHAT_PASSWORD. The
// node has to prove that it is localhost: NODE_EXTRA_CA_CERTS names its certificate. A line per scene
// that went well; the first thing that did not ends the script with exit code 1. Port 0 leaves direct
// TLS out.

import { webcrypto } from "node:crypto";

import { client, xml } from "@xmpp/client";

globalThis.crypto ??= webcrypto; // Debian 12's node has it only by this name

const [host, port, directPort] = process.argv.slice(2);
const password = process.env.CHAT_PASSWORD;
const PATIENCE = 20_000; // milliseconds that anything may take before it counts as not coming

const BLOCKING = "urn:xmpp:blocking";
const DISCO_INFO = "http://jabber.org/protocol/disco#info";

/** Waits for a promise, but not for ever. */
function soon(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** One resource. Stanzas that nobody has asked for yet are kept. */
class Person {
  constructor(username, resource, options = {}) {
    const service = options.direct ? `xmpps://localhost:${directPort}` : `xmpp://${host}:${port}`;
    const credentials = options.mechanism
      ? (authenticate) => authenticate({ username, password }, options.mechanism)
      : undefined;
    this.xmpp = client({ service, domain: "localhost", resource, username, password, credentials });
    this.xmpp.reconnect.stop();
    this.xmpp.timeout = PATIENCE; // its own, two seconds, is short for a machine that builds
    this.kept = [];
    this.waiting = [];
    this.errors = [];
    this.xmpp.on("error", (error) => this.errors.push(error));
    this.xmpp.on("stanza", (stanza) => {
      if (stanza.is("iq")) return;
      this.kept.push(stanza);
      this.waiting.splice(0).forEach((wake) => wake());
    });
  }

  async login() {
    this.jid = (await soon(this.xmpp.start(), "the login")).toString();
    return this;
  }

  async appear() {
    await this.login();
    await this.xmpp.send(xml("presence"));
    await this.gets((s) => s.is("presence") && s.attrs.from === this.jid, "the own presence");
    return this;
  }

  async gets(wanted, what) {
    for (;;) {
      const at = this.kept.findIndex(wanted);
      if (at >= 0) return this.kept.splice(at, 1)[0];
      await soon(new Promise((resolve) => this.waiting.push(resolve)), what);
    }
  }

  sees(who, type) {
    return this.gets(
      (s) => s.is("presence") && s.attrs.from === who && s.attrs.type === type,
      `presence ${type ?? "available"} of ${who}`,
    );
  }

  async hears(text, from) {
    const message = await this.gets((s) => s.is("message"), `the message "${text}"`);
    check(message.getChildText("body") === text, `${this.jid} heard ${message}, not "${text}"`);
    check(message.attrs.from === from, `${message} should come from ${from}`);
  }

  say(to, text) {
    return this.xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
  }

  ask(to, payload) {
    return soon(this.xmpp.iqCaller.get(payload, to), `the answer of ${to}`);
  }

  /** The connection is gone without a word. */
  cut() {
    const socket = this.xmpp.socket.socket;
    // After STARTTLS the TLS socket does not own the one below it: destroy both.
    socket._parent?.destroy();
    socket.destroy();
  }

  leave() {
    return soon(this.xmpp.stop(), "the end of the stream");
  }
}

const scenes = {
  async mechanisms() {
    for (const mechanism of ["SCRAM-SHA-1", "PLAIN"]) {
      for (const direct of directPort === "0" ? [false] : [false, true]) {
        const person = await new Person("alice", "js", { mechanism, direct }).login();
        check(person.jid === "alice@localhost/js", `bound as ${person.jid}`);
        await person.leave();
      }
    }
  },

  async presence() {
    const one = await new Person("alice", "one").appear();
    const two = await new Person("alice", "two").appear();
    await one.sees(two.jid);
    await two.sees(one.jid);
    await two.leave();
    await one.sees(two.jid, "unavailable");
    const three = await new Person("alice", "three").appear();
    await one.sees(three.jid);
    three.cut();
    await one.sees(three.jid, "unavailable");
    await one.leave();
  },

  async messages() {
    const alice = await new Person("alice", "desk").appear();
    const bob = await new Person("bob", "home", { direct: directPort !== "0" }).appear();
    const text = "Grüße, 世界 & <b>'\"…\" 👋";
    await bob.say("alice@localhost", text);
    await alice.hears(text, bob.jid);
    await alice.say(bob.jid, "to the full JID");
    await bob.hears("to the full JID", alice.jid);
    await bob.say("nobody-of-this-name@localhost", "anybody?");
    const answer = await bob.gets((s) => s.is("message"), "the error");
    check(answer.attrs.type === "error", `${answer} should be an error`);
    check(answer.getChild("error").getChild("service-unavailable"), `${answer}: which error?`);
    await alice.leave();
    await bob.leave();
  },

  async queries() {
    const alice = await new Person("alice", "desk").appear();
    const bob = await new Person("bob", "home").appear();
    const ping = () => xml("ping", { xmlns: "urn:xmpp:ping" });
    await alice.ask("localhost", ping());
    await alice.ask(bob.jid, ping());
    await bob.ask(alice.jid, ping());
    const nowhere = await bob.ask("alice@localhost/nowhere", ping()).catch((error) => error);
    check(nowhere.condition === "service-unavailable", `a ping to nowhere: ${nowhere}`);
    const info = await alice.ask("localhost", xml("query", { xmlns: DISCO_INFO }));
    const features = info.getChildren("feature").map((feature) => feature.attrs.var);
    check(features.includes("urn:xmpp:ping"), `features: ${features}`);
    const version = await alice.ask("localhost", xml("query", { xmlns: "jabber:iq:version" }));
    check(version.getChildText("name"), `version: ${version}`);
    await alice.leave();
    await bob.leave();
  },

  async conflict() {
    const old = await new Person("alice", "desk").appear();
    const gone = new Promise((resolve) => old.xmpp.on("disconnect", resolve));
    const young = await new Person("alice", "desk").appear();
    await soon(gone, "the end of the older session");
    check(old.errors.some((e) => e.condition === "conflict"), `errors: ${old.errors}`);
    await young.ask("localhost", xml("ping", { xmlns: "urn:xmpp:ping" }));
    await young.leave();
  },

  async vcards() {
    const alice = await new Person("alice", "desk").appear();
    const bob = await new Person("bob", "home").appear();
    const vcard = (...inside) => xml("vCard", { xmlns: "vcard-temp" }, ...inside);
    const named = vcard(xml("FN", {}, "Alice Liddell"), xml("NICKNAME", {}, "Ali & Ce"));
    await soon(alice.xmpp.iqCaller.set(named), "the vCard's result");
    const seen = await bob.ask("alice@localhost", vcard());
    check(seen.toString() === named.toString(), `${seen} is not what was published`);
    const search = xml("query", { xmlns: "jabber:iq:search" }, xml("nick", {}, "ali*"));
    const found = await soon(bob.xmpp.iqCaller.set(search, "vjud.localhost"), "who was found");
    const who = found.getChildren("item").map((item) => item.attrs.jid);
    check(who.join() === "alice@localhost", `${found} is not Alice`);
    await alice.leave();
    await bob.leave();
  },

  async offline() {
    const alice = await new Person("alice", "desk").appear();
    for (let n = 0; n < 20; n += 1) await alice.say("bob@localhost", `Are you there? ${n}`);
    const bob = await new Person("bob", "home").appear();
    for (let n = 0; n < 20; n += 1) {
      const message = await bob.gets((s) => s.is("message"), `message ${n}`);
      check(message.getChildText("body") === `Are you there? ${n}`, `${message}: is it the next?`);
      const delay = message.getChild("delay", "urn:xmpp:delay");
      check(delay?.attrs.from === "localhost", `${message}: who kept it?`);
    }
    const last = await alice.ask("localhost", xml("query", { xmlns: "jabber:iq:last" }));
    check(Number(last.attrs.seconds) >= 0, `${last}: how long has it been running?`);
    await alice.leave();
    await bob.leave();
  },

  async privateStorage() {
    const desk = await new Person("alice", "desk").appear();
    const diary = (...inside) => {
      const kept = xml("diary", { xmlns: "quill:prefs" }, ...inside);
      return xml("query", { xmlns: "jabber:iq:private" }, kept);
    };
    const written = diary(xml("ink", { colour: "red" }), "Curiouser & curiouser!");
    await soon(desk.xmpp.iqCaller.set(written), "the result of the set");
    await desk.leave();
    const phone = await new Person("alice", "phone").appear();
    const read = await phone.ask("alice@localhost", diary());
    check(read.toString() === written.toString(), `${read} is not what was written`);
    await phone.leave();
  },

  async contacts() {
    const alice = await new Person("alice", "desk").appear();
    const bob = await new Person("bob", "home").appear();
    const pushes = [];
    let wake = () => {};
    alice.xmpp.iqCallee.set("jabber:iq:roster", "query", ({ element }) => {
      pushes.push(element.getChild("item").attrs);
      wake();
      return true;
    });
    const pushed = async (subscription) => {
      while (!pushes.some((item) => item.subscription === subscription)) {
        await soon(new Promise((resolve) => (wake = resolve)), `the push of ${subscription}`);
      }
    };
    const roster = (...items) => xml("query", { xmlns: "jabber:iq:roster" }, ...items);
    await alice.ask("alice@localhost", roster());
    const item = xml("item", { jid: "bob@localhost", name: "Bob" }, xml("group", {}, "Friends"));
    await soon(alice.xmpp.iqCaller.set(roster(item)), "the result of the set");
    await alice.xmpp.send(xml("presence", { to: "bob@localhost", type: "subscribe" }));
    await bob.sees("alice@localhost", "subscribe");
    await bob.xmpp.send(xml("presence", { to: "alice@localhost", type: "subscribed" }));
    await pushed("to");
    await alice.sees(bob.jid);
    bob.cut();
    await alice.sees(bob.jid, "unavailable");
    const gone = xml("item", { jid: "bob@localhost", subscription: "remove" });
    await soon(alice.xmpp.iqCaller.set(roster(gone)), "the result of the removal");
    await pushed("remove");
    const left = await alice.ask("alice@localhost", roster());
    check(!left.getChild("item"), `${left} should be empty`);
    await alice.leave();
  },

  async blocking() {
    const alice = await new Person("alice", "desk").appear();
    const bob = await new Person("bob", "home").appear();
    await bob.xmpp.send(xml("presence", { to: "alice@localhost", type: "subscribe" }));
    await alice.sees("bob@localhost", "subscribe");
    await alice.xmpp.send(xml("presence", { to: "bob@localhost", type: "subscribed" }));
    await bob.sees(alice.jid);
    const tell = (name) => {
      const item = xml("item", { jid: "bob@localhost" });
      const command = xml(name, { xmlns: BLOCKING }, item);
      return soon(alice.xmpp.iqCaller.set(command, "alice@localhost"), `the answer to ${name}`);
    };
    await tell("block");
    await bob.sees(alice.jid, "unavailable");
    const list = await alice.ask("alice@localhost", xml("blocklist", { xmlns: BLOCKING }));
    check(list.getChild("item")?.attrs.jid === "bob@localhost", `the block list: ${list}`);
    for (const [one, other, condition] of [
      [bob, "alice@localhost", "service-unavailable"],
      [alice, "bob@localhost", "not-acceptable"],
    ]) {
      await one.say(other, "Hello?");
      const answer = await one.gets((s) => s.is("message"), "the error");
      check(answer.getChild("error")?.getChild(condition), `${answer}: which error?`);
    }
    await tell("unblock");
    await bob.sees(alice.jid);
    await bob.say("alice@localhost", "Hello again");
    await alice.hears("Hello again", bob.jid);
    await alice.leave();
    await bob.leave();
  },
};

for (const [name, scene] of Object.entries(scenes)) {
  try {
    await scene();
  } catch (trouble) {
    console.log(`failed  ${name}: ${trouble.stack}`);
    process.exit(1);
  }
  console.log(`ok  ${name}`);
}
process.exit(0);
