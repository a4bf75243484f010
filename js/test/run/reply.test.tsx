import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, useReply } from "../../src/run";
import { Requests } from "../../src/wire";

interface Sent {
  id: string;
  args: { of: string };
}

/** A kernel that answers when told to. */
function kernel() {
  const sent: Sent[] = [];
  let heard: (message: unknown, buffers: unknown[]) => void = () => {};
  const model = {
    send: (message: Sent) => sent.push(message),
    on: (_: string, listener: typeof heard) => {
      heard = listener;
    },
    off: () => {},
  };
  const requests = new Requests(model as never, new AbortController().signal);
  const answer = (request: Sent | undefined, said: string) =>
    act(async () => heard({ kind: "reply", id: request?.id, ok: true, result: { said } }, []));
  return { sent, requests, answer };
}

describe("useReply", () => {
  let shown: Answer<string>;
  const root = document.createElement("div");
  const read = (result: Record<string, unknown>) => String(result.said);

  function View(props: { requests: Requests; of: string | null; version: number }) {
    const { requests, of, version } = props;
    shown = useReply({ requests, name: "thing", args: of ? { of } : null, version, read });
    return null;
  }
  const show = (requests: Requests, of: string | null, version: number) =>
    act(() => render(<View requests={requests} of={of} version={version} />, root));
  const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    render(null, root);
    vi.useRealTimers();
  });

  it("asks once, and again a second later when there is something newer", async () => {
    const { sent, requests, answer } = kernel();
    show(requests, "a", 1);
    await pass(0);
    expect(shown).toEqual({ key: '{"of":"a"}', value: null, error: null, busy: true });
    await answer(sent[0], "first");
    expect(shown).toMatchObject({ value: "first", busy: false });
    show(requests, "a", 2);
    show(requests, "a", 3);
    await pass(900);
    expect(sent).toHaveLength(1);
    await pass(100);
    expect(sent).toHaveLength(2);
    expect(shown).toMatchObject({ value: "first", busy: true }); // what is shown stays
    await answer(sent[1], "second");
    await pass(5000);
    expect(sent).toHaveLength(2);
    expect(shown.value).toBe("second");
  });

  it("takes the answer of a slow kernel although there is newer by then", async () => {
    const { sent, requests, answer } = kernel();
    for (let version = 1; version <= 8; version++) {
      show(requests, "a", version);
      await pass(700);
    }
    expect(sent).toHaveLength(1);
    await answer(sent[0], "slow");
    expect(shown.value).toBe("slow");
    await pass(0); // and asks for what has come meanwhile
    expect(sent).toHaveLength(2);
  });

  it("asks at once for another thing, and forgets the one before", async () => {
    const { sent, requests, answer } = kernel();
    show(requests, "a", 1);
    await pass(0);
    show(requests, "b", 1);
    await pass(0);
    expect(sent.map(({ args }) => args.of)).toEqual(["a", "b"]);
    await answer(sent[0], "too late");
    expect(shown.value).toBeNull();
    await answer(sent[1], "b's");
    expect(shown.value).toBe("b's");
    show(requests, null, 2);
    expect(shown).toEqual({ value: null, error: null, busy: false });
    await pass(5000);
    expect(sent).toHaveLength(2);
  });
});
