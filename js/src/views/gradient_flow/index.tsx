import { defineWidget } from "../../ui";
import { GradientStore } from "./store";
import "./style.css";
import { View } from "./view";

export default defineWidget({
  name: "gradient_flow",
  createStore: (context) => new GradientStore(context),
  View,
});
