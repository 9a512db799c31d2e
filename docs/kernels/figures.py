#!/usr/bin/env python3
"""docs/kernels/figures.py - draws the figures of docs/: writes <name>.svg beside this file and data-flow.svg above it.

What a figure shows is computed here from the same formulas as in kernels/ wherever that is possible. With --check
nothing is written, and it fails if a file is not what would be.
"""
import math
import pathlib
import random
import sys

INK, GREY, PALE, BLUE, RED, GREEN, GOLD = "#222", "#777", "#e8e8e8", "#2b6cb0", "#c0392b", "#2f855a", "#b7791f"
BLUES, REDS, GREENS, GOLDS = "#d6e6f7", "#f8dad6", "#d7eedd", "#f8ecd0"


class Svg:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def rect(self, x, y, w, h, fill="none", stroke=INK, width=1.0):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="{fill}" '
                          f'stroke="{stroke}" stroke-width="{width}"/>')

    def line(self, points, stroke=INK, width=1.5, dash="", arrow=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashes}/>')
        if arrow:
            (x0, y0), (x1, y1) = points[-2:]
            angle = math.atan2(y1 - y0, x1 - x0)
            corners = [(x1, y1)] + [(x1 - 8 * math.cos(angle + a), y1 - 8 * math.sin(angle + a)) for a in (0.4, -0.4)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
            self.parts.append(f'<polygon points="{path}" fill="{stroke}"/>')

    def dot(self, x, y, r=3.0, fill=INK):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{fill}"/>')

    def text(self, x, y, words, size=13, fill=INK, anchor="start", bold=False, mono=False):
        family = "DejaVu Sans Mono, monospace" if mono else "DejaVu Sans, Arial, sans-serif"
        words = words.replace("&", "&amp;").replace("<", "&lt;")
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-family="{family}" font-size="{size}" fill="{fill}" '
                          f'text-anchor="{anchor}"{weight}>{words}</text>')

    def drawn(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                f'viewBox="0 0 {self.width} {self.height}">')
        ground = f'<rect width="{self.width}" height="{self.height}" fill="white"/>'
        return "\n".join([head, ground] + self.parts + ["</svg>"]) + "\n"


def curve(svg, x0, y0, w, h, f, lo, hi, top, colour, width=2.0):
    """f over [lo, hi] in a box whose height is worth `top` upwards from y0."""
    points = []
    for i in range(201):
        x = lo + (hi - lo) * i / 200
        points.append((x0 + w * i / 200, y0 - h * f(x) / top))
    svg.line(points, colour, width)


# ---- convolution -------------------------------------------------------------------------------------------------

def convolution():
    s = Svg(960, 410)
    s.text(20, 24, "A convolution as a matrix product whose left factor is never stored", bold=True)
    cell, x0, y0 = 20, 30, 60
    s.text(x0, y0 - 10, "x: pixels of C channels")
    for row in range(8):
        for column in range(8):
            s.rect(x0 + column * cell, y0 + row * cell, cell, cell, "white", GREY, 0.7)
    for (row, column), fill, edge in (((1, 1), BLUES, BLUE), ((4, 4), GOLDS, GOLD)):
        s.rect(x0 + column * cell, y0 + row * cell, 3 * cell, 3 * cell, fill, edge, 2)
    s.text(x0, y0 + 8 * cell + 20, "a window of 3 x 3 pixels", 12)
    s.text(x0, y0 + 8 * cell + 37, "is a row of the left factor", 12)

    ax, ay, aw, ah = 290, 60, 250, 200
    s.text(ax, ay - 10, "rows: pixels of y;  along them: r, s, c")
    s.rect(ax, ay, aw, ah)
    for row, fill, edge in ((3, BLUES, BLUE), (11, GOLDS, GOLD)):
        s.rect(ax, ay + row * 12.5, aw, 12.5, fill, edge, 1.5)
    s.line([(x0 + 4 * cell, y0 + 2.5 * cell), (ax, ay + 3.5 * 12.5)], BLUE, 1.5, arrow=True)
    s.line([(x0 + 7 * cell, y0 + 5.5 * cell), (ax, ay + 11.5 * 12.5)], GOLD, 1.5, arrow=True)
    s.rect(ax, ay + 25, aw, 75, "none", RED, 2)
    s.rect(ax + 100, ay + 25, 30, 75, REDS, RED, 1.5)

    bx, by, bw, bh = 600, 60, 110, 250
    s.text(bx, by - 10, "columns: channels k")
    s.rect(bx, by, bw, bh)
    s.rect(bx + 30, by, 50, bh, "none", RED, 2)
    s.rect(bx + 30, by + 100, 50, 30, REDS, RED, 1.5)
    s.text(bx, by + bh + 18, "w: r, s, c downwards", 12)

    cx, cy = 780, 60
    s.text(cx, cy - 10, "y: sums in registers")
    s.rect(cx, cy, 110, 200)
    s.rect(cx + 30, cy + 25, 50, 75, REDS, RED, 2)
    s.text(570, 160, "x", 18, anchor="middle")
    s.text(746, 160, "=", 18, anchor="middle")
    s.text(30, 356, "Red: what one block of threads computes. It goes along the reduction in steps of 64 bytes; the filled "
           "pieces of both factors", 12)
    s.text(30, 373, "are copied to shared memory two or three steps ahead of the products.", 12)
    s.text(30, 396, "A tile of M x N sums reads (M + N) numbers for M N products: 1 / 32 read a product where M = N = 64, "
           "1 / 64 where 128; one thread a sum reads 2.", 12)
    return s


def banks():
    s = Svg(960, 330)
    s.text(20, 24, "Why chunks are permuted: ldmatrix reads the same 16 bytes of 8 rows at once", bold=True)
    colours = ["#d6e6f7", "#f8dad6", "#d7eedd", "#f8ecd0", "#e6dcf4", "#d5f0f0", "#f6dcec", "#e4e4e4"]
    for permuted, x0 in ((False, 40), (True, 510)):
        s.text(x0, 55, "permuted: 8 different bank groups, 1 cycle" if permuted
               else "as they come: bank groups 0 and 4 only, 4 cycles", 13)
        for row in range(8):
            s.text(x0 - 6, 88 + row * 28, str(row), 11, GREY, "end")
            for chunk in range(4):
                place = chunk ^ (row // 2 % 4) if permuted else chunk
                group = (row * 4 + place) % 8  # of 4 banks: a row has 64 bytes, the banks are 128 wide
                first = chunk == 0
                s.rect(x0 + place * 95, 70 + row * 28, 91, 24, colours[group], RED if first else "none", 2.5)
                s.text(x0 + place * 95 + 45, 86 + row * 28, f"{chunk}: banks {4 * group}-{4 * group + 3}", 10,
                       anchor="middle", bold=first)
    s.text(40, 318, "Rows of 64 bytes, chunks 0 to 3; red: chunk 0 of every row, which one load takes. Chunk c of row r "
           "lies at place c xor (r / 2 mod 4).", 12)
    return s


# ---- losses ------------------------------------------------------------------------------------------------------

def losses():
    s = Svg(960, 360)
    s.text(20, 24, "What an element costs and pulls, and what a block of DSSIM reads", bold=True)
    eps = 0.25
    kinds = [("squared", BLUE, lambda d: d * d, lambda d: 2 * d),
             ("absolute", RED, abs, lambda d: (d > 0) - (d < 0)),
             ("Charbonnier, eps 0.25", GREEN, lambda d: math.hypot(d, eps) - eps, lambda d: d / math.hypot(d, eps))]
    for x0, title, base, top, pick in ((40, "value over a - b", 270, 2.25, 2), (300, "slope", 165, 2.2, 3)):
        s.text(x0, 55, title)
        s.line([(x0, base), (x0 + 220, base)], GREY, 1)
        s.line([(x0 + 110, 60), (x0 + 110, 270)], GREY, 1)
        for kind in kinds:
            span = 1.5 if pick == 2 else 1.05
            curve(s, x0, base, 220, base - 65, kind[pick], -span, span, top, kind[1])
    for i, (name, colour, _, _) in enumerate(kinds):
        s.line([(40 + i * 140, 305), (65 + i * 140, 305)], colour, 3)
        s.text(70 + i * 140, 309, name, 12)

    x0, y0, px = 600, 70, 4.6
    s.text(x0 - 30, 55, "DSSIM, window of 11 px: 32 x 32 windows a block")
    s.rect(x0, y0, 42 * px, 42 * px, PALE, GREY)
    s.rect(x0 + 5 * px, y0 + 5 * px, 32 * px, 32 * px, BLUES, BLUE, 1.5)
    s.rect(x0 + 5 * px, y0 + 12 * px, 14 * px, 1 * px, REDS, RED, 1.5)
    s.line([(x0 + 19 * px, y0 + 12.5 * px), (x0 + 46 * px, y0 + 12.5 * px)], RED, 1)
    s.text(x0 + 47 * px, y0 + 11 * px, "a thread's run: 14", 11, RED)
    s.text(x0 + 47 * px, y0 + 14 * px, "pixels make 4 results", 11, RED)
    s.text(x0 + 47 * px, y0 + 24 * px, "42 x 42 pixels", 11)
    s.text(x0 + 47 * px, y0 + 27 * px, "read once to", 11)
    s.text(x0 + 47 * px, y0 + 30 * px, "shared memory", 11)
    s.text(x0 - 30, y0 + 42 * px + 24, "11 + 11 taps along rows and columns in place of 11 x 11", 12)
    s.text(x0 - 30, y0 + 42 * px + 41, "four filtered maps: a, a - b, a² + b², (a - b)²", 12)
    return s


# ---- optimizer ---------------------------------------------------------------------------------------------------

def optimizer():
    s = Svg(960, 330)
    s.text(20, 24, "One pass over flat arenas: what an element of each moves, in bytes (Adam)", bold=True)
    rows = [("g", "gradients, f32", 4, 0), ("m", "mean, f32", 4, 4), ("v", "square, f32", 4, 4),
            ("w", "weights, f32", 4, 4), ("packed", "bf16 copy for the products", 0, 2),
            ("average", "moving average, f32", 4, 4)]
    for i, (name, what, read, written) in enumerate(rows):
        y, optional = 50 + i * 36, i > 3
        s.text(20, y + 18, name, 13, mono=True)
        s.text(90, y + 18, what, 12)
        s.rect(300, y, 330, 26, "white" if optional else PALE, GREY, 1)
        for k in range(1, 33):
            s.line([(300 + k * 10, y), (300 + k * 10, y + 26)], "#bbb", 0.6)
        s.rect(420, y, 40, 26, GOLDS, GOLD, 1.5)
        if read:
            s.line([(640, y + 8), (700, y + 8)], BLUE, 1.5, arrow=True)
            s.text(708, y + 12, f"{read} read", 11, BLUE)
        if written:
            s.line([(700, y + 20), (640, y + 20)], RED, 1.5, arrow=True)
            s.text(770, y + 24, f"{written} written", 11, RED)
        if optional:
            s.text(860, y + 18, "if wanted", 11, GREY)
    need = sum(r + w for _, _, r, w in rows[:4])
    s.text(300, 285, "gold: a thread's packet, 4 neighbours = 16 bytes of each arena", 12)
    s.text(20, 312, f"{need} bytes an element; with the packed copy {need + rows[4][3]}, with the average too "
           f"{need + rows[4][3] + rows[5][2] + rows[5][3]}. As three operations (m; v; w) it would be "
           f"{(8 + 4) + (8 + 4) + (12 + 4)} for the first four.", 12)
    return s


# ---- augmentation ------------------------------------------------------------------------------------------------

def warp_at(nodes, cells, u, v):
    """Bilinear between the nodes: displacement() of kernels/augment/augment_ref.h, in sides."""
    column, row = min(int(u), cells - 1), min(int(v), cells - 1)
    a, b = u - column, v - row
    corner = [nodes[row + j][column + i] for j in (0, 1) for i in (0, 1)]
    weight = [(1 - b) * (1 - a), (1 - b) * a, b * (1 - a), b * a]
    return [sum(w * n[k] for w, n in zip(weight, corner)) for k in (0, 1)]


def augmentation():
    s = Svg(960, 340)
    s.text(20, 24, "A sample: the target is turned, the input warped as well", bold=True)
    cells, draw, side = 4, random.Random(3), 220
    nodes = [[(0.0, 0.0)] * (cells + 1) for _ in range(cells + 1)]
    for row in range(1, cells):
        for column in range(1, cells):
            deviation = lambda: max(-0.24, min(0.24, draw.gauss(0, 0.096))) / cells
            nodes[row][column] = (deviation(), deviation())
    turn = math.radians(8)

    def grid(x0, y0, place, colour):
        for k in range(9):
            for across in (True, False):
                points = []
                for i in range(41):
                    u, v = (i / 40, k / 8) if across else (k / 8, i / 40)
                    x, y = place(u, v)
                    points.append((x0 + x * side, y0 + y * side))
                s.line(points, colour, 1.6 if k in (0, 8) else 0.8)

    def warped(u, v):
        dx, dy = warp_at(nodes, cells, u * cells, v * cells)
        return u + dx, v + dy

    def turned(u, v):
        x, y = u - 0.5, v - 0.5
        return (0.5 + 0.84 * (math.cos(turn) * x - math.sin(turn) * y),
                0.5 + 0.84 * (math.sin(turn) * x + math.cos(turn) * y))

    s.text(60, 55, "the stored face, and where the input looks")
    s.rect(60, 70, side, side, "white", GREY)
    grid(60, 70, warped, BLUE)
    for row in range(1, cells):
        for column in range(1, cells):
            dx, dy = nodes[row][column]
            s.dot(60 + (column / cells + dx) * side, 70 + (row / cells + dy) * side, 3.5, RED)
    s.text(370, 55, "the sample: target and mask")
    s.rect(370, 70, side, side, "white", GREY)
    grid(370, 70, turned, INK)
    s.text(680, 55, "how a pixel is read")
    for row in range(4):
        for column in range(4):
            inner = row in (1, 2) and column in (1, 2)
            s.rect(690 + column * 45, 75 + row * 45, 45, 45, GOLDS if inner else PALE, GREY)
    s.dot(690 + 1.5 * 45 + 0.4 * 45, 75 + 1.5 * 45 + 0.6 * 45, 4, RED)
    s.text(690, 280, "16 stored pixels: bicubic; the mask 4", 12)
    s.text(60, 315, "red: nodes of a grid of 2, 4 or 8 cells, moved by a normal of deviation 0.096 cells, cut at 0.24; "
           "the border stays.", 12)
    return s


# ---- colour ------------------------------------------------------------------------------------------------------

def colour():
    s = Svg(960, 350)
    s.text(20, 24, "idt and sot: along a direction, the k-th smallest colour goes to the k-th smallest of the other face",
           bold=True)
    bell = lambda m, d: lambda x: math.exp(-((x - m) / d) ** 2 / 2)
    x_of = lambda x: 0.7 * bell(0.3, 0.08)(x) + 0.5 * bell(0.55, 0.06)(x)
    y_of = lambda x: bell(0.68, 0.1)(x)
    bins = 48

    def counts(f):
        values = [f((i + 0.5) / bins) for i in range(bins)]
        return [v / sum(values) for v in values]

    def sums(values):
        total, out = 0.0, []
        for v in values:
            total += v
            out.append(total)
        return out

    cx, cy = counts(x_of), counts(y_of)
    for x0, title, values, colour, fill in ((40, "counts of x in bins", cx, BLUE, BLUES), (40, "", cy, RED, REDS)):
        base = 170 if colour == BLUE else 310
        s.text(x0, base - 105, title or "counts of y", 12)
        for i, v in enumerate(values):
            s.rect(x0 + i * 7.5, base - v * 900, 7.5, v * 900, fill, colour, 0.8)
        s.line([(x0, base), (x0 + bins * 7.5, base)], INK, 1)
    x0, y0, w, h = 480, 310, 400, 230
    sx, sy = sums(cx), sums(cy)
    s.rect(x0, y0 - h, w, h, "none", GREY)
    s.text(x0, y0 - h - 10, "their running sums: ranks")
    for values, shade in ((sx, BLUE), (sy, RED)):
        s.line([(x0, y0)] + [(x0 + (i + 1) * w / bins, y0 - h * v) for i, v in enumerate(values)], shade, 2)
    for rank in (0.2, 0.5, 0.8):
        at = [next(i for i, v in enumerate(values) if v >= rank) + 0.5 for values in (sx, sy)]
        s.line([(x0 + at[0] * w / bins, y0 - h * rank), (x0 + at[1] * w / bins, y0 - h * rank)], GREEN, 1.8, arrow=True)
    s.text(x0 + 8, y0 - h + 18, "green: where x's colours of a rank go", 12, GREEN)
    s.text(40, 338, "The kernel has 2048 bins: counts by atomics in shared memory, running sums by the block, one binary "
           "search a bin.", 12)
    return s


# ---- Poisson -----------------------------------------------------------------------------------------------------

def poisson():
    s = Svg(960, 400)
    s.text(20, 24, "Gradients of one picture under the other's values, and the cycle that solves it", bold=True)
    n, lo, hi = 80, 20, 60
    target = [0.35 + 0.002 * i + 0.02 * math.sin(i / 3) for i in range(n)]
    source = [0.75 + 0.1 * math.sin(i / 2.2) - 0.004 * i for i in range(n)]
    # In one dimension the solution is the source plus the line that carries both ends to the target.
    left, right = target[lo] - source[lo], target[hi] - source[hi]
    mixed = [source[i] + left + (right - left) * (i - lo) / (hi - lo) if lo <= i <= hi else target[i] for i in range(n)]
    place = lambda values, a, b: [(40 + i * 5, 300 - 220 * values[i]) for i in range(a, b)]
    s.rect(40 + lo * 5, 60, (hi - lo) * 5, 250, "#f4f4f4", "none", 0)
    s.line(place(source, lo, hi + 1), BLUE, 1.5, "5,4")
    s.line(place(target, 0, n), GREY, 1.5, "2,3")
    s.line(place(mixed, 0, n), RED, 2.5)
    for i in (lo, hi):
        s.dot(40 + i * 5, 300 - 220 * target[i], 4.5)
    s.text(40 + lo * 5 + 4, 75, "inside the mask", 11, GREY)
    for i, (name, shade) in enumerate((("face S", BLUE), ("frame D", GREY), ("result f: S's slopes, D's ends", RED))):
        s.line([(40 + (0, 90, 190)[i], 330), (62 + (0, 90, 190)[i], 330)], shade, 2.5)
        s.text(67 + (0, 90, 190)[i], 334, name, 12)
    s.text(40, 360, "A row of a picture. In two dimensions the mask's whole edge is fixed.", 12)

    sides = [130]
    while sides[-1] > 5:  # coarser_side of kernels/poisson/multigrid.h
        sides.append(sides[-1] // 2 + 1)
    x0, y0 = 520, 90
    s.text(x0 - 20, 55, "V-cycle of a picture of 130 x 130")
    step = 25
    for i, side in enumerate(sides):
        y, whole = y0 + i * 36, side * side > 66 * 66
        fill, edge = (REDS, RED) if whole else (BLUES, BLUE)
        for x in {x0 + i * step, x0 + (2 * (len(sides) - 1) - i) * step}:
            s.rect(x - 9, y - 9, 18, 18, fill, edge, 1.5)
        s.text(x0 + 2 * len(sides) * step + 5, y + 5, f"{side} x {side}", 12)
        if i + 1 < len(sides):
            down, up = x0 + i * step, x0 + (2 * (len(sides) - 1) - i) * step
            s.line([(down + 6, y + 10), (down + step - 6, y + 25)], GREY, 1.2, arrow=True)
            s.line([(up - step + 6, y + 25), (up - 6, y + 10)], GREY, 1.2, arrow=True)
    s.text(x0 - 20, 350, "red: all blocks of a channel, a grid-wide barrier between sweeps", 12, RED)
    s.text(x0 - 20, 370, "blue: one block a channel, its barrier is within the block", 12, BLUE)
    return s


# ---- data flow ---------------------------------------------------------------------------------------------------

def data_flow():
    s = Svg(980, 640)

    def box(x, y, name, note, fill=BLUES, edge=BLUE, w=150):
        s.rect(x, y, w, 46, fill, edge, 1.3)
        s.text(x + w / 2, y + 19, name, 12, anchor="middle", bold=True, mono=True)
        s.text(x + w / 2, y + 36, note, 10.5, anchor="middle")

    def copy(points, words="", x=0.0, y=0.0, dash=""):
        s.line(points, INK, 1.4, dash, arrow=True)
        if words:
            s.text(x, y, words, 10.5, GREY)

    file = (GOLDS, GOLD)
    device = (GREENS, GREEN)
    rows = (60, 240, 470)
    for y, words in ((28, "extract"), (208, "train"), (438, "merge")):
        s.text(20, y, words, 14, bold=True)
    # extract
    y = rows[0]
    box(20, y, "video", "through ffmpeg", *file, w=100)
    box(180, y, "Frame", "picture, name, time")
    box(390, y, "FrameFace", "box, score, 68 points")
    box(600, y, "FaceRecord", "one line of the manifest")
    box(810, y, "Faceset", "faceset.json, images/", *file)
    copy([(120, y + 23), (178, y + 23)], "decodes", 126, y + 16)
    copy([(330, y + 23), (388, y + 23)], "finds", 342, y + 16)
    copy([(540, y + 23), (598, y + 23)], "copies", 550, y + 16)
    copy([(750, y + 23), (808, y + 23)], "appends", 756, y + 16)
    copy([(255, y + 46), (255, y + 80), (885, y + 80), (885, y + 48)], "cuts the aligned square out of the frame, writes a PNG",
         400, y + 74)
    # train
    y = rows[1]
    copy([(935, rows[0] + 46), (935, 185), (90, 185), (90, y - 2)], "reads, cuts again at the network's size", 560, 179)
    box(20, y, "FaceArrays", "bytes", w=140)
    box(218, y, "DeviceFaces", "the same bytes", *device, w=140)
    box(416, y, "Batch", "pictures, masks: f32", *device, w=140)
    box(614, y, "Var, Term", "slab: activations", *device, w=140)
    box(812, y, "Parameters", "weights, gradients", *device, w=140)
    copy([(160, y + 23), (216, y + 23)], "uploads", 165, y + 16)
    copy([(358, y + 23), (414, y + 23)], "augment", 362, y + 16)
    copy([(556, y + 23), (612, y + 23)], "views", 568, y + 16, "4,3")
    copy([(754, y + 23), (810, y + 23)], "adds up", 761, y + 16)
    box(614, y + 90, "StepReport", "losses", w=140)
    copy([(684, y + 46), (684, y + 88)], "downloads", 690, y + 72)
    box(812, y + 90, "Checkpoint", "step-*.safetensors", *file, w=140)
    copy([(882, y + 46), (882, y + 88)], "downloads", 888, y + 72)
    # merge
    y = rows[2]
    box(20, y, "video", "read twice", *file, w=100)
    box(170, y, "Clip", "FrameFaces of all frames")
    box(390, y, "PredictedFace", "matrix, then face, mask")
    box(620, y, "Layer", "colour, weight", w=125)
    box(810, y, "merged video", "through ffmpeg", *file)
    copy([(120, y + 23), (168, y + 23)], "finds", 128, y + 16)
    copy([(320, y + 23), (388, y + 23)], "aligns", 334, y + 16)
    copy([(540, y + 23), (618, y + 23)], "draws", 580, y + 16)
    copy([(745, y + 23), (808, y + 23)], "lays over", 750, y + 16)
    box(390, y + 95, "Predictor", "tensors of 4 faces", *device)
    copy([(440, y + 46), (440, y + 93)], "uploads", 394, y + 75)
    copy([(490, y + 93), (490, y + 48)], "downloads", 496, y + 75)
    box(170, y + 95, "Frame", "blocks of 16")
    copy([(70, y + 46), (70, y + 118), (168, y + 118)], "second reading", 78, y + 112)
    copy([(320, y + 118), (388, y + 118)], "cuts", 340, y + 111)
    copy([(245, y + 141), (245, y + 155), (885, y + 155), (885, y + 48)], "the frame itself, changed in place", 620, y + 149)
    copy([(882, rows[1] + 136), (882, 415), (568, 415), (568, y + 118), (542, y + 118)], "TrainedModel: weights alone",
         640, 409)
    for i, (name, (fill, edge)) in enumerate((("files", file), ("host memory", (BLUES, BLUE)), ("device memory", device))):
        s.rect(560 + i * 140, 16, 14, 14, fill, edge)
        s.text(580 + i * 140, 28, name, 12)
    return s


def main():
    here = pathlib.Path(__file__).resolve().parent
    figures = {here / f"{f.__name__}.svg": f for f in (convolution, banks, losses, optimizer, augmentation, colour, poisson)}
    figures[here.parent / "data-flow.svg"] = data_flow
    for path, figure in figures.items():
        if "--check" not in sys.argv:
            path.write_text(figure().drawn())
        elif not path.exists() or path.read_text() != figure().drawn():
            sys.exit(f"{path}: is not what docs/kernels/figures.py draws. Run it, and look at the picture.")


if __name__ == "__main__":
    main()
