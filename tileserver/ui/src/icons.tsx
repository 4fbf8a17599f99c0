/** Line icons, 20 units square, in the colour of the text around them. */

const PATHS = {
  plus: "M10 4.500v11M4.500 10h11",
  minus: "M4.500 10h11",
  close: "M5 5l10 10M15 5L5 15",
  fit: "M4 8V4h4M16 8V4h-4M4 12v4h4M16 12v4h-4",
  sun: "M10 6.500a3.500 3.500 0 100 7 3.500 3.500 0 000-7zM10 2v1.500M10 16.500V18M18 10h-1.500M3.500 10H2M15.700 4.300l-1.100 1.100M5.400 14.600l-1.100 1.100M15.700 15.700l-1.100-1.100M5.400 5.400L4.300 4.300",
  moon: "M16 11.600A6.500 6.500 0 118.400 4a5.200 5.200 0 007.600 7.600z",
  down: "M5.500 8l4.500 4.500L14.500 8",
  up: "M5.500 12L10 7.500l4.500 4.500",
  search: "M9 4a5 5 0 100 10A5 5 0 009 4zM12.800 12.800L16.500 16.500",
  table: "M4 5h12v10H4zM4 8.500h12M4 11.800h12M8.500 8.500V15",
  draw: "M5 6.500l9-2.500 2 8-7 4.500-5-4z",
  flip: "M7 4L4 7l3 3M4 7h12M13 16l3-3-3-3M16 13H4",
  copy: "M7.500 7.500h8v8h-8zM4.500 12.500v-8h8",
  check: "M4.500 10.500l3.500 3.500 7.500-8",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: three areas that share their borders. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" focusable="false">
      <path class="mark-a" d="M2 8.500 12.500 3.500v18L2 28z" />
      <path class="mark-b" d="M12.500 3.500 21 10v17.500l-8.500-6z" />
      <path class="mark-c" d="M21 10l9-4.500v18L21 27.500z" />
    </svg>
  );
}
