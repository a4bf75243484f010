import { defineWidget } from "../../ui";
import { ModeStore } from "./store";
import { View } from "./view";

export default defineWidget({
  name: "failure_modes",
  createStore: (context) => new ModeStore(context),
  View,
});
