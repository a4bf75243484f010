import { LayersStore } from "../../layers";
import { defineWidget } from "../../ui";
import "./style.css";
import { View } from "./view";

export default defineWidget({
  name: "weight_distribution",
  createStore: (context) => new LayersStore(context),
  View,
});
