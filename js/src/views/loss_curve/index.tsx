import { defineWidget } from "../../ui";
import { CurveStore } from "./store";
import "./style.css";
import { View } from "./view";

export default defineWidget({
  name: "loss_curve",
  createStore: (context) => new CurveStore(context),
  View,
});
