import { defineWidget } from "../../ui";
import { VitalsStore } from "./store";
import "./style.css";
import { View } from "./view";

export default defineWidget({
  name: "training_dashboard",
  createStore: (context) => new VitalsStore(context),
  View,
});
