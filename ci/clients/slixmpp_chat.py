#!/usr/bin/env python3
"""Two accounts chat through a running node with slixmpp, over STARTTLS and over direct TLS.

    slixmpp_chat.py HOST PORT DIRECT_TLS_PORT [CERTIFICATE]

The accounts alice@localhost and bob@localhost must exist; their password is in CHAT_PASSWORD. With a
certificate file the server has to prove that it is localhost, without one anything goes. A line per
scene that went well; the first thing that did not ends the script with exit code 1. Port 0 leaves
direct TLS out.
"""

import asyncio
import base64
import hashlib
import logging
import os
import ssl
import sys

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0048 import Bookmarks

HOST, PORT, DIRECT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
CERTIFICATE = sys.argv[4] if len(sys.argv) > 4 else None
PASSWORD = os.environ["CHAT_PASSWORD"]
PATIENCE = 20  # seconds that anything may take before it counts as not coming


class Person(ClientXMPP):
    """One resource. What comes is kept in queues until a scene asks for it."""

    def __init__(self, jid, *, direct=False, mechanism=None, password=PASSWORD, tls=None):
        config = {"feature_mechanisms": {"use_mech": mechanism}}
        super().__init__(jid, password, plugin_config=config)
        self.enable_direct_tls, self.enable_starttls = direct, not direct
        self.port = DIRECT if direct else PORT
        context = ssl.create_default_context(cafile=CERTIFICATE)
        if CERTIFICATE is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if direct:
            context.set_alpn_protocols(["xmpp-client"])
        if tls is not None:
            context.minimum_version = context.maximum_version = tls
        self.ssl_context = context
        for number in ("0012", "0030", "0048", "0049", "0054", "0055", "0092", "0191", "0199", "0202", "0203"):
            self.register_plugin(f"xep_{number}")
        self.messages, self.presences, self.endings = (asyncio.Queue() for _ in range(3))
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("message_error", self.messages.put_nowait)
        self.add_event_handler("presence", self.presences.put_nowait)
        self.pushes = asyncio.Queue()
        self.add_event_handler("roster_update", self.pushes.put_nowait)
        self.add_event_handler("disconnected", self.endings.put_nowait)
        self.stream_errors = asyncio.Queue()
        self.add_event_handler("stream_error", self.stream_errors.put_nowait)

    async def login(self):
        """Connects, logs in, binds; sends no presence."""
        started = asyncio.ensure_future(self.wait_until("session_start", PATIENCE))
        refused = asyncio.ensure_future(self.wait_until("failed_all_auth", PATIENCE))
        self.connect(HOST, self.port)
        done, waiting = await asyncio.wait(
            {started, refused}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()
        if started not in done or started.exception():
            raise AssertionError(f"{self.requested_jid} could not log in")
        return self

    async def appear(self, priority=0):
        """Logs in, asks for the roster as people's clients do, and becomes available."""
        await self.login()
        await self.get_roster()
        self.send_presence(ppriority=priority)
        await self.sees(self.boundjid.full, "available")
        return self

    async def leave(self):
        await self.disconnect()

    async def sees(self, who, kind):
        """Waits for a presence of this kind from `who`; others may come before it."""
        while True:
            presence = await soon(self.presences.get(), f"{kind} presence of {who}")
            # The attribute, since slixmpp's own "type" is the show when there is one.
            if presence["from"].full == who and presence.xml.get("type", "available") == kind:
                return presence

    async def lists(self, contact, **wanted):
        """Waits for a push of this contact that says what is wanted of it."""
        while True:
            push = await soon(self.pushes.get(), f"the push of {contact}")
            item = push["roster"]["items"].get(JID(contact))
            if item and all(item[key] == value for key, value in wanted.items()):
                return

    async def hears(self, text, sender):
        message = await soon(self.messages.get(), f"the message {text!r}")
        assert message["body"] == text, f"{self.boundjid} heard {message}, not {text!r}"
        assert message["from"] == sender, f"{message} should come from {sender}"
        return message


async def soon(awaitable, what):
    try:
        return await asyncio.wait_for(awaitable, PATIENCE)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what} did not come within {PATIENCE} s") from None


async def mechanisms():
    """Every mechanism that slixmpp and the node share logs in, over STARTTLS and direct TLS."""
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"):
        for direct in (False, True) if DIRECT else (False,):
            person = await Person(
                "alice@localhost", mechanism=mechanism, direct=direct
            ).login()
            used = person.plugin["feature_mechanisms"].mech.name
            assert used == mechanism, f"{used} was used, not {mechanism}"
            await person.leave()


async def tls_versions():
    """TLS 1.2 and 1.3, each with whatever mechanism slixmpp likes best."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        person = await Person("alice@localhost", tls=version).login()
        name = person.socket.version().replace(".", "_")
        assert version.name == name, f"{name} was spoken, not {version.name}"
        await person.leave()


async def wrong_password():
    """A wrong password and an unknown account get the same answer."""
    answers = []
    for jid in ("bob@localhost", "nobody-of-this-name@localhost"):
        person = Person(jid, password="wrong", mechanism="SCRAM-SHA-1")
        failed = asyncio.ensure_future(person.wait_until("failed_auth", PATIENCE))
        person.connect(HOST, person.port)
        failure = await soon(failed, "the refusal")
        answers.append(failure["condition"])
        await soon(person.disconnect(), "the end of the stream")
    assert answers == ["not-authorized"] * 2, answers


async def presence():
    """Two resources of an account see each other come and go, orderly and cut off."""
    one = await Person("alice@localhost/one").appear()
    two = await Person("alice@localhost/two").appear()
    await one.sees("alice@localhost/two", "available")
    await two.sees("alice@localhost/one", "available")
    two.send_presence(pshow="dnd", pstatus="läuft & <springt>")
    seen = await one.sees("alice@localhost/two", "available")
    assert (seen["show"], seen["status"]) == ("dnd", "läuft & <springt>"), seen
    await two.leave()
    await one.sees("alice@localhost/two", "unavailable")

    three = await Person("alice@localhost/three").appear()
    await one.sees("alice@localhost/three", "available")
    three.transport.abort()
    await one.sees("alice@localhost/three", "unavailable")
    await one.leave()


async def messages():
    """To the bare JID (a negative priority hears nothing of it), to full JIDs, and to nobody."""
    desk = await Person("alice@localhost/desk", direct=bool(DIRECT)).appear(priority=5)
    phone = await Person("alice@localhost/phone").appear(priority=-1)
    bob = await Person("bob@localhost/home").appear()
    text = "Grüße, 世界 & <b>'\"…\" 👋"
    bob.send_message("alice@localhost", text, mtype="chat")
    await desk.hears(text, bob.boundjid)
    bob.send_message("alice@localhost/phone", "to the phone", mtype="chat")
    await phone.hears("to the phone", bob.boundjid)
    phone.send_message(bob.boundjid, "from the phone", mtype="chat")
    await bob.hears("from the phone", phone.boundjid)
    for n in range(200):
        bob.send_message(desk.boundjid, f"number {n}", mtype="chat")
    for n in range(200):
        await desk.hears(f"number {n}", bob.boundjid)
    bob.send_message("nobody-of-this-name@localhost", "anybody?", mtype="chat")
    answer = await soon(bob.messages.get(), "the error")
    assert answer["type"] == "error", answer
    assert answer["error"]["condition"] == "service-unavailable", answer
    for person in (desk, phone, bob):
        await person.leave()


async def queries():
    """IQs to the server, to accounts, and from client to client in both directions."""
    alice = await Person("alice@localhost/desk").appear()
    bob = await Person("bob@localhost/home").appear()
    await alice.plugin["xep_0199"].ping("localhost")
    await alice.plugin["xep_0199"].ping(bob.boundjid)
    await bob.plugin["xep_0199"].ping(alice.boundjid)
    try:
        await bob.plugin["xep_0199"].send_ping("alice@localhost/nowhere")
        raise AssertionError("a resource that is not there answered a ping")
    except IqError as error:
        assert error.condition == "service-unavailable", error
    version = await alice.plugin["xep_0092"].get_version("localhost")
    assert version["software_version"]["name"], version
    time = await alice.plugin["xep_0202"].get_entity_time("localhost")
    # The text, since slixmpp's own reading of it trips over the Z that XEP-0082 asks for.
    assert time.xml.findtext(".//{urn:xmpp:time}utc").endswith("Z"), time
    server = (await alice.plugin["xep_0030"].get_info("localhost"))["disco_info"]
    assert any(i[:2] == ("server", "im") for i in server["identities"]), server
    for feature in ("http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "urn:xmpp:time"):
        assert feature in server["features"], f"{feature} is missing in {server}"
    await alice.plugin["xep_0030"].get_items("localhost")
    account = (await alice.plugin["xep_0030"].get_info("alice@localhost"))["disco_info"]
    assert any(i[:2] == ("account", "registered") for i in account["identities"]), account
    for person in (alice, bob):
        await person.leave()


async def blocking():
    """Who is blocked sees the other leave, is not heard, and sees it come back."""
    alice = await Person("alice@localhost/desk").appear()
    bob = await Person("bob@localhost/home").appear()
    bob.send_presence_subscription("alice@localhost")
    await bob.sees("alice@localhost/desk", "available")
    blocks = alice.plugin["xep_0191"]
    assert not await blocks.get_blocked_jids()
    pushes = asyncio.Queue()
    alice.add_event_handler("blocked", pushes.put_nowait)
    await blocks.block("bob@localhost")
    await soon(pushes.get(), "the push of the block")
    await bob.sees("alice@localhost/desk", "unavailable")
    assert await blocks.get_blocked_jids() == {"bob@localhost"}
    for one, other, condition in (
        (bob, "alice@localhost", "service-unavailable"),
        (alice, "bob@localhost", "not-acceptable"),
    ):
        one.send_message(other, "Hello?", mtype="chat")
        answer = await soon(one.messages.get(), "the error")
        assert answer["error"]["condition"] == condition, answer
    await blocks.unblock("bob@localhost")
    await bob.sees("alice@localhost/desk", "available")
    # Of a message that failed slixmpp tells twice.
    while not alice.messages.empty():
        alice.messages.get_nowait()
    bob.send_message("alice@localhost", "Hello again", mtype="chat")
    await alice.hears("Hello again", bob.boundjid)
    for person in (alice, bob):
        await person.leave()


async def vcards():
    """Who publishes a vCard is seen by it, also in presence, and found in the directory."""
    alice = await Person("alice@localhost/desk").appear()
    bob = await Person("bob@localhost/home").appear()
    photo = b"not really a picture"
    card = alice.plugin["xep_0054"].make_vcard()
    card["FN"] = "Alice Liddell"
    card["N"]["FAMILY"], card["N"]["GIVEN"] = "Liddell", "Alice"
    card["PHOTO"]["TYPE"], card["PHOTO"]["BINVAL"] = "image/png", photo
    await alice.plugin["xep_0054"].publish_vcard(card, jid=JID(alice.boundjid.bare))
    seen = (await bob.plugin["xep_0054"].get_vcard("alice@localhost"))["vcard_temp"]
    assert seen["FN"] == "Alice Liddell", seen
    # The bytes, since slixmpp's own reading of them depends on its version.
    text = seen.xml.findtext(".//{vcard-temp}BINVAL")
    assert base64.b64decode(text) == photo, text
    alice.send_presence()
    presence = await alice.sees(alice.boundjid.full, "available")
    told = presence.xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo")
    assert told == hashlib.sha1(photo).hexdigest(), presence
    try:
        await bob.plugin["xep_0054"].get_vcard("bob@localhost")
        raise AssertionError("somebody without a vCard has one")
    except IqError as error:
        assert error.condition == "item-not-found", error

    items = (await bob.plugin["xep_0030"].get_items("localhost"))["disco_items"]["items"]
    directory = [jid for jid, _, _ in items if str(jid).startswith("vjud.")]
    assert directory, f"no directory among {items}"
    search = bob.plugin["xep_0055"].make_search_iq(ito=directory[0])
    search["search"]["form"].add_field("last", value="LIDD*")
    found = (await search.send())["search"]["form"]["items"]
    assert [item["jid"] for item in found] == ["alice@localhost"], found
    for person in (alice, bob):
        await person.leave()


async def bookmarks():
    """A client's bookmarks in private storage are there for another one of the same account."""
    desk = await Person("alice@localhost/desk").login()
    kept = Bookmarks()
    kept.add_conference("tea@rooms.localhost", "Alice", autojoin=True, name="Tea & more")
    await desk.plugin["xep_0048"].set_bookmarks(kept)
    await desk.leave()
    phone = await Person("alice@localhost/phone").login()
    found = (await phone.plugin["xep_0048"].get_bookmarks())["private"]["bookmarks"]
    rooms = [(room["jid"], room["name"]) for room in found["conferences"]]
    assert rooms == [("tea@rooms.localhost", "Tea & more")], found
    await phone.leave()


async def contacts():
    """Contacts are shared by all resources; who may see whom is asked, granted and ended."""
    desk = await Person("alice@localhost/desk").appear()
    phone = await Person("alice@localhost/phone").appear()
    bob = await Person("bob@localhost/home").appear()
    if "bob@localhost" in desk.client_roster:
        await desk.del_roster_item("bob@localhost")
    await desk.update_roster("nurse@localhost", name="Nurse & Co", groups=["Servants"])
    await phone.lists("nurse@localhost", name="Nurse & Co", groups=["Servants"])
    await phone.del_roster_item("nurse@localhost")
    await desk.lists("nurse@localhost", subscription="remove")
    # slixmpp says yes to whoever asks, and asks back.
    desk.send_presence_subscription("bob@localhost")
    await desk.lists("bob@localhost", subscription="both")
    await phone.lists("bob@localhost", subscription="both")
    await desk.sees("bob@localhost/home", "available")
    await bob.sees("alice@localhost/desk", "available")
    bob.transport.abort()
    await desk.sees("bob@localhost/home", "unavailable")
    for person in (desk, phone):
        await person.leave()


async def offline():
    """What is said to somebody who is away waits, in order and with its time; so does a farewell."""
    alice = await Person("alice@localhost/desk").appear()
    bob = await Person("bob@localhost/home").appear()
    alice.send_presence_subscription("bob@localhost")
    await alice.sees("bob@localhost/home", "available")
    bob.send_presence(ptype="unavailable", pstatus="läuft heim")
    await alice.sees("bob@localhost/home", "unavailable")
    await bob.leave()
    for n in range(20):
        alice.send_message("bob@localhost", f"Are you there? {n}", mtype="chat")
    while (last := await alice.plugin["xep_0012"].get_last_activity("bob@localhost"))[
        "last_activity"
    ]["status"] != "läuft heim":
        pass  # the node sees a little later than the client that the session has ended
    assert last["last_activity"]["seconds"] < PATIENCE, last
    bob = await Person("bob@localhost/home").appear()
    for n in range(20):
        message = await bob.hears(f"Are you there? {n}", alice.boundjid)
        assert message["delay"]["from"] == "localhost", message
        assert message["delay"]["stamp"], message
    last = await alice.plugin["xep_0012"].get_last_activity("bob@localhost")
    assert last["last_activity"]["seconds"] == 0 and not last["last_activity"]["status"], last
    uptime = await alice.plugin["xep_0012"].get_last_activity("localhost")
    assert uptime["last_activity"]["seconds"] >= 0, uptime
    for person in (alice, bob):
        await person.leave()


async def conflict():
    """The newer session with a resource replaces the older, which is told why."""
    old = await Person("alice@localhost/desk").appear()
    new = await Person("alice@localhost/desk").appear()
    error = await soon(old.stream_errors.get(), "the stream error")
    assert error["condition"] == "conflict", error
    await soon(old.endings.get(), "the end of the old stream")
    old.cancel_connection_attempt()
    await new.plugin["xep_0199"].ping("localhost")
    await new.leave()


async def play():
    scenes = (mechanisms, tls_versions, wrong_password, presence, messages, queries, conflict, blocking)
    scenes += (vcards, bookmarks, offline, contacts)
    for scene in scenes:
        try:
            await scene()
        except Exception as trouble:
            print(f"failed  {scene.__name__}: {type(trouble).__name__}: {trouble}", flush=True)
            raise
        print(f"ok  {scene.__name__}: {scene.__doc__.splitlines()[0]}", flush=True)


if __name__ == "__main__":
    # slixmpp drops its sender tasks at the end of a stream, asyncio grumbles about each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(play())
