import { defineWidget } from "../../ui";
import { ActivationStore } from "./store";
import "./style.css";
import { View } from "./view";

export default defineWidget({
  name: "activation_stats",
  createStore: (context) => new ActivationStore(context),
  View,
});
