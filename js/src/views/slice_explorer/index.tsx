import { defineWidget } from "../../ui";
import { SliceStore } from "./store";
import { View } from "./view";

export default defineWidget({
  name: "slice_explorer",
  createStore: (context) => new SliceStore(context),
  View,
});
