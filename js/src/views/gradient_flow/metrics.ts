import type { Metric } from "../../layers";

interface Words {
  /** On the button, above the column, and in a sentence. */
  text: string;
  head: string;
  what: string;
  title: string;
}

export const METRICS: Partial<Record<Metric, Words>> = {
  norm: {
    text: "Gradient norm",
    head: "Gradient norm",
    what: "gradient norm",
    title: "The L2 norm of each layer's gradient, as the optimizer uses it",
  },
  relative: {
    text: "÷ weights",
    head: "Gradient ÷ weights",
    what: "gradient ÷ weight norm",
    title: "The gradient's norm divided by the norm of the layer's weights",
  },
  update: {
    text: "Update ratio",
    head: "Update ÷ weights",
    what: "update ÷ weight norm",
    title: "Norm of what a step changes, divided by the norm of the layer's weights",
  },
};

export function wordsOf(metric: Metric): Words {
  return (METRICS[metric] ?? METRICS.norm) as Words;
}
