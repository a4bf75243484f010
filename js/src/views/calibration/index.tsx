import { defineWidget } from "../../ui";
import { CalibrationStore } from "./store";
import { View } from "./view";

export default defineWidget({
  name: "calibration",
  createStore: (context) => new CalibrationStore(context),
  View,
});
