/** Where the focus goes when the control that has it is about to go. */

/** To the button of the next line of a list, else of the one before; else to what adds lines. */
export function passFocus(button: HTMLElement, lines: string): void {
  const group = button.closest(".group");
  const all = [...(group?.querySelectorAll(lines) ?? [])];
  const at = all.findIndex((line) => line.contains(button));
  const heir = all[at + 1] ?? all[at - 1];
  const target = heir?.querySelector("button") ?? group?.querySelector(".add-range select, textarea");
  (target as HTMLElement | null | undefined)?.focus();
}
