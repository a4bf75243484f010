import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icons";

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  /** Read aloud; needed when the button shows only an icon. */
  label?: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  quiet?: boolean;
  title?: string;
}

export function Button(props: ButtonProps): JSX.Element {
  const { children, icon, label, onClick, disabled, pressed, quiet, title } = props;
  return (
    <button
      type="button"
      class={`nbd-button${quiet ? " nbd-quiet" : ""}`}
      aria-label={label}
      aria-pressed={pressed}
      title={title ?? (children ? undefined : label)}
      disabled={disabled}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

export interface Option<T> {
  value: T;
  text: string;
  title?: string;
}

interface ChoiceProps<T> {
  label: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
  disabled?: boolean;
}

/** One of a few, all visible. Arrow keys move, as in a group of radio buttons. */
export function Segmented<T extends string | number>(props: ChoiceProps<T>): JSX.Element {
  const { label, value, options, onChange, disabled } = props;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = options.findIndex((option) => option.value === value);
    const next = options[(at + step + options.length) % options.length];
    if (!next) return;
    onChange(next.value);
    const group = event.currentTarget as HTMLElement;
    group.querySelectorAll("button")[options.indexOf(next)]?.focus();
  };
  return (
    <div class="nbd-segmented" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          title={option.title}
          disabled={disabled}
          onClick={() => onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}

/** One of many, with its label in front. */
export function Select<T extends string | number>(props: ChoiceProps<T>): JSX.Element {
  const { label, value, options, onChange, disabled } = props;
  return (
    <label class="nbd-select">
      <span>{label}</span>
      <select
        value={String(value)}
        disabled={disabled}
        onChange={(event) => {
          const chosen = options.find((o) => String(o.value) === event.currentTarget.value);
          if (chosen) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={String(option.value)}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step?: number;
  /** The value in words, read aloud. */
  text?: string;
  onInput: (value: number) => void;
  disabled?: boolean;
  /** Show the label in front instead of only reading it aloud. */
  visible?: boolean;
}

export function Slider(props: SliderProps): JSX.Element {
  const { label, value, min, max, step = 1, text, onInput, disabled, visible } = props;
  const share = max > min ? (value - min) / (max - min) : 0;
  const input = (
    <input
      type="range"
      class="nbd-slider"
      style={{ "--nbd-share": share.toFixed(4) }}
      aria-label={label}
      aria-valuetext={text}
      min={min}
      max={max}
      step={step}
      value={value}
      disabled={disabled}
      onInput={(event) => onInput(Number(event.currentTarget.value))}
    />
  );
  if (!visible) return input;
  return (
    <label class="nbd-select">
      <span>{label}</span>
      {input}
    </label>
  );
}
