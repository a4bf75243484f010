/** Made-up predictions, pictures and maps: everything the explorer shows, without a kernel. */

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CIFAR =
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm";

export function classNames(size: number): string[] {
  if (size === 2) return ["benign", "malignant"];
  if (size <= 10) return Array.from({ length: size }, (_, i) => String(i));
  if (size > 100) return Array.from({ length: size }, (_, i) => `n${String(i).padStart(4, "0")}`);
  return CIFAR.split(" ").slice(0, size);
}

/** Counts (C, C): mostly right, with a few pairs that are confused much more than the rest. */
export function counts(size: number, each: number, seed = 1): Int32Array {
  const next = random(seed);
  const out = new Int32Array(size * size);
  const pairs = new Map<number, number>();
  for (let i = 0; i < size; i++) {
    if (next() < 0.6) pairs.set(i, Math.floor(next() * size));
  }
  for (let t = 0; t < size; t++) {
    for (let n = 0; n < each; n++) {
      const u = next();
      const favourite = pairs.get(t) ?? t;
      const wrong = size > 20 ? 0.3 : 0.09;
      let p = t;
      if (u < wrong * 0.6) p = favourite;
      else if (u < wrong) p = Math.floor(next() ** 2 * size);
      out[t * size + p] = (out[t * size + p] ?? 0) + 1;
    }
  }
  return out;
}

/** A picture of a handwritten-looking sign on a patchy background. */
export async function picture(text: string, seed: number, side: number): Promise<ArrayBuffer> {
  const next = random(seed);
  const canvas = new OffscreenCanvas(side, side);
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new Error("no canvas");
  const hue = Math.floor(next() * 360);
  for (let i = 0; i < 60; i++) {
    ctx.fillStyle = `hsl(${hue + next() * 50} ${30 + next() * 30}% ${25 + next() * 35}%)`;
    const r = side * (0.1 + next() * 0.25);
    ctx.fillRect(next() * side - r / 2, next() * side - r / 2, r, r);
  }
  ctx.translate(side / 2, side / 2);
  ctx.rotate((next() - 0.5) * 0.6);
  ctx.fillStyle = "#fff";
  ctx.font = `italic 700 ${side * 0.62}px serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text.slice(0, 2), (next() - 0.5) * side * 0.2, 0);
  return (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer();
}

/** A map with one hill; every seventh is all zero, every eleventh holds a NaN. */
export function map(seed: number, side: number): { values: Float32Array; peak: number } {
  const next = random(seed * 31 + 7);
  const values = new Float32Array(side * side);
  if (seed % 7 === 3) return { values, peak: 0 };
  const [cx, cy, strength] = [next() * side, next() * side, 0.2 + 4 * next() ** 2];
  let peak = 0;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const d = ((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2) / side;
      const v = Math.max(0, strength * Math.exp(-d) - 0.05);
      values[y * side + x] = v;
      peak = Math.max(peak, v);
    }
  }
  if (seed % 11 === 5) {
    values[0] = Number.NaN;
    peak = Number.NaN;
  }
  return { values, peak };
}
