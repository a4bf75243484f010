import { defineWidget } from "../../ui";
import { Explorer } from "./store";
import { View } from "./view";

export default defineWidget({
  name: "error_explorer",
  createStore: (context) => new Explorer(context),
  View,
});
