import { describe, expect, it } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { Connection } from "../../src/wire";

type Slot = (sender: unknown, value: unknown) => void;

class FakeSignal {
  readonly slots = new Set<Slot>();
  connect = (slot: Slot) => this.slots.add(slot);
  disconnect = (slot: Slot) => this.slots.delete(slot);
  emit = (value: unknown) => {
    for (const slot of this.slots) slot(null, value);
  };
}

function setup() {
  const session = {
    statusChanged: new FakeSignal(),
    kernelChanged: new FakeSignal(),
    connectionStatusChanged: new FakeSignal(),
    session: { kernel: { status: "idle" } },
  };
  const model = new FakeModel({}, { context: { sessionContext: session } });
  const controller = new AbortController();
  return { session, model, controller, connection: new Connection(model, controller.signal) };
}

describe("Connection", () => {
  it.each(["restarting", "autorestarting", "dead", "terminating"])("is lost when %s", (status) => {
    const { session, connection } = setup();
    session.statusChanged.emit(status);
    expect(connection.link.value).toBe("disconnected");
    session.statusChanged.emit("idle"); // the new kernel knows nothing of this widget
    expect(connection.link.value).toBe("disconnected");
  });

  it.each(["busy", "idle", "starting", "unknown"])("is not lost when %s", (status) => {
    const { session, connection } = setup();
    session.statusChanged.emit(status);
    expect(connection.link.value).toBe("live");
  });

  it("is lost when ipywidgets says that the comm has gone", () => {
    const { model, connection } = setup();
    model.trigger("comm_live_update");
    expect(connection.link.value).toBe("disconnected");
  });

  it.each([
    ["shut down", { oldValue: {}, newValue: null }, "disconnected"],
    ["changed for another", { oldValue: {}, newValue: {} }, "disconnected"],
    ["just found", { oldValue: null, newValue: {} }, "live"],
  ])("when the kernel is %s", (_, change, link) => {
    const { session, connection } = setup();
    session.kernelChanged.emit(change);
    expect(connection.link.value).toBe(link);
  });

  it("is offline while the server cannot be reached, and comes back", () => {
    const { session, connection } = setup();
    session.connectionStatusChanged.emit("connecting");
    expect(connection.link.value).toBe("offline");
    session.connectionStatusChanged.emit("connected");
    expect(connection.link.value).toBe("live");
    session.statusChanged.emit("dead");
    session.connectionStatusChanged.emit("connected");
    expect(connection.link.value).toBe("disconnected");
  });

  it("believes a message from the kernel more than anything", () => {
    const { model, connection } = setup();
    model.trigger("comm_live_update");
    model.message({ kind: "append" });
    expect(connection.link.value).toBe("live");
  });

  it("takes a view that never had a comm for a saved picture", () => {
    const { model, controller } = setup();
    const el = document.createElement("div");
    el.className = "jupyter-widgets-disconnected";
    const connection = new Connection(model, controller.signal);
    connection.look(el);
    expect(connection.link.value).toBe("saved");
  });

  it("takes a view that had one for a lost kernel", () => {
    const { connection } = setup();
    const el = document.createElement("div");
    connection.look(el);
    el.className = "jupyter-widgets-disconnected";
    connection.look(el);
    expect(connection.link.value).toBe("disconnected");
  });

  it("knows whether the kernel is idle, or that it cannot know", () => {
    const { connection, session } = setup();
    expect(connection.idle).toBe(true);
    session.session.kernel.status = "busy";
    expect(connection.idle).toBe(false);
    const { signal } = new AbortController();
    for (const manager of [undefined, null, {}, { context: 3 }, { kernel: {} }]) {
      expect(new Connection(new FakeModel({}, manager), signal).idle).toBeUndefined();
    }
  });

  it("leaves no listener behind", () => {
    const { session, model, controller } = setup();
    expect(model.listeners).toBeGreaterThan(0);
    controller.abort();
    expect(model.listeners).toBe(0);
    expect(session.statusChanged.slots.size + session.kernelChanged.slots.size).toBe(0);
    expect(session.connectionStatusChanged.slots.size).toBe(0);
  });
});
