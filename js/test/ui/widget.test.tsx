import { useEffect } from "preact/hooks";
import { act } from "preact/test-utils";
import { expect, it, vi } from "vitest";
import { FakeModel } from "../../dev/fake_model";
import { defineWidget, useTheme, type ViewProps } from "../../src/ui";
import { Store } from "../../src/wire";

const cleaned = vi.fn();

function View({ store }: ViewProps<Store<string>>) {
  const theme = useTheme();
  useEffect(() => cleaned, []);
  return (
    <p>
      {store.value} in {theme}
    </p>
  );
}

const define = defineWidget({
  name: "probe",
  createStore: ({ model }) => new Store(String(model.get("word"))),
  View,
});

function mount(definition: ReturnType<typeof define>, model: FakeModel, signal: AbortSignal) {
  const el = document.createElement("div");
  document.body.append(el);
  act(() => definition.render({ model, el, signal }));
  return el.firstElementChild as HTMLElement;
}

it("makes one store a model, draws each view, and cleans up with its signal", () => {
  const [model, other] = [new FakeModel({ word: "a" }), new FakeModel({ word: "b" })];
  const { signal } = new AbortController();
  const [one, two] = [define(), define()];
  one.initialize({ model, signal });
  two.initialize({ model: other, signal });
  const controller = new AbortController();
  const root = mount(one, model, controller.signal);
  expect(root.textContent).toBe("a in light");
  expect(mount(two, other, signal).textContent).toBe("b in light");
  expect(root.dataset).toMatchObject({ view: "probe", lmSuppressShortcuts: "true" });
  expect(cleaned).not.toHaveBeenCalled();
  act(() => controller.abort());
  expect(cleaned).toHaveBeenCalledOnce();
  expect(root.isConnected).toBe(false);
});

it("follows the page's theme while it is shown", async () => {
  const model = new FakeModel({ word: "a" });
  const controller = new AbortController();
  const definition = define();
  definition.initialize({ model, signal: controller.signal });
  document.body.dataset.jpThemeLight = "false";
  const root = mount(definition, model, controller.signal);
  expect(root.dataset.theme).toBe("dark");
  await act(async () => {
    document.body.dataset.jpThemeLight = "true";
    await new Promise((done) => setTimeout(done));
  });
  expect(root.dataset.theme).toBe("light");
  expect(root.textContent).toBe("a in light");
  act(() => controller.abort());
  delete document.body.dataset.jpThemeLight;
});

it("rejects what is asked when the kernel has gone", async () => {
  const model = new FakeModel({ word: "a" });
  const { signal } = new AbortController();
  let ask: Promise<unknown> | undefined;
  const definition = defineWidget({
    name: "probe",
    createStore: ({ requests }) => {
      ask = requests.request("page");
      return null;
    },
    View: () => <p />,
  })();
  definition.initialize({ model, signal });
  model.trigger("comm_live_update");
  await expect(ask).rejects.toThrow("the kernel has gone");
});
