import { defineWidget } from "../../ui";
import { Boundary } from "./store";
import { View } from "./view";

export default defineWidget({
  name: "decision_boundary",
  createStore: (context) => new Boundary(context),
  View,
});
