import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { DEFERRED, Requests } from "../../src/wire";
import { SILENT } from "../../src/wire/requests";

describe("Requests", () => {
  let model: FakeModel;
  let controller: AbortController;
  let requests: Requests;
  let idle: boolean | undefined;

  beforeEach(() => {
    vi.useFakeTimers();
    model = new FakeModel();
    controller = new AbortController();
    idle = undefined;
    requests = new Requests(model, controller.signal, () => idle);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const waiting = () => requests.pending.value.map(({ name, deferred }) => [name, deferred]);

  it("resolves with the reply of its own id, whatever the order", async () => {
    const first = requests.request<{ n: number }>("a", { x: 1 });
    const second = requests.request<{ n: number }>("b");
    const [a, b] = model.sent;
    expect(a).toMatchObject({ kind: "request", name: "a", args: { x: 1 } });
    model.message({ kind: "reply", id: b?.id, ok: true, result: { n: 2 } });
    model.message({ kind: "reply", id: a?.id, ok: true, result: { n: 1 } }, [new ArrayBuffer(3)]);
    expect((await second).result.n).toBe(2);
    expect((await first).result.n).toBe(1);
    expect((await first).buffers).toHaveLength(1);
    expect(requests.pending.value).toEqual([]);
  });

  it("rejects with the kernel's own sentence", async () => {
    const reply = requests.request("page");
    model.refuse("There is no cell [9, 9].");
    await expect(reply).rejects.toThrow("There is no cell [9, 9].");
  });

  it("ignores replies that nobody waits for", () => {
    model.message({ kind: "reply", id: "strange", ok: true });
    model.message(null);
    expect(requests.pending.value).toEqual([]);
  });

  it("says after a second that it takes effect when the cell ends, and no sooner", async () => {
    const reply = requests.request("pause");
    vi.advanceTimersByTime(999);
    expect(waiting()).toEqual([["pause", null]]);
    vi.advanceTimersByTime(1);
    expect(waiting()).toEqual([["pause", DEFERRED]]);
    model.reply({});
    await reply;
    expect(waiting()).toEqual([]);
  });

  it("shows the kernel's own reason at once", () => {
    void requests.request("pause").catch(() => {});
    model.message({ kind: "deferred", id: model.sent[0]?.id, reason: "after this step" });
    expect(waiting()).toEqual([["pause", "after this step"]]);
  });

  it.each([
    ["idle and silent", true, false, SILENT],
    ["busy", false, false, DEFERRED],
    ["of unknown state", undefined, false, DEFERRED],
    ["idle but sending", true, true, DEFERRED],
  ])("after 5 s with a kernel that is %s", (_, state, sends, expected) => {
    idle = state;
    void requests.request("pause").catch(() => {});
    vi.advanceTimersByTime(3000);
    if (sends) model.message({ kind: "append" });
    vi.advanceTimersByTime(2000);
    expect(waiting()).toEqual([["pause", expected]]);
  });

  it("rejects everything that waits when the kernel or the widget goes", async () => {
    const lost = requests.request("a");
    requests.fail("the kernel has gone");
    await expect(lost).rejects.toThrow("the kernel has gone");
    const closed = requests.request("b");
    controller.abort();
    await expect(closed).rejects.toThrow("the widget was closed");
    expect(model.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives up a request whose signal aborts", async () => {
    const own = new AbortController();
    const reply = requests.request("page", {}, own.signal);
    own.abort(new Error("scrolled away"));
    await expect(reply).rejects.toThrow("scrolled away");
    expect(requests.pending.value).toEqual([]);
  });
});
