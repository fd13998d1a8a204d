namespace Bff.Dev.Upstreams.Pictures;

/// <summary>Sixteen landscapes that all products and users share; each is drawn and encoded when it is first requested.</summary>
internal static class Gallery
{
    private const int Count = 16;
    private const int LargeWidth = 1600;
    private const int LargeHeight = 1200;
    private const int ThumbDivisor = 8;
    private const int Quality = 85;
    private const int Ridges = 3;

    private static readonly Lazy<byte[]>[] Large = [.. Enumerable.Range(0, Count).Select(n => new Lazy<byte[]>(() => Draw(n, 1)))];
    private static readonly Lazy<byte[]>[] Thumbs =
    [
        .. Enumerable.Range(0, Count).Select(n => new Lazy<byte[]>(() => Draw(n, ThumbDivisor))),
    ];

    public static byte[] Picture(int number, bool large) => (large ? Large : Thumbs)[number % Count].Value;

    /// <summary>Draws a sky, a sun and three ridges with a little grain, so that the image compresses like a photograph.</summary>
    private static byte[] Draw(int number, int divisor)
    {
        var hue = number * MathF.Tau / Count;
        var (sunX, sunY) = (200f + number * 83 % 1200, 180f + number * 47 % 260);
        var (width, height) = (LargeWidth / divisor, LargeHeight / divisor);

        // Terms that depend only on the column or the row are computed once, because sines are the cost of drawing.
        var horizons = Enumerable.Range(0, width).Select(px => Horizons(px * divisor, number)).ToArray();
        var across = Enumerable.Range(0, width).Select(px => 12 * MathF.Sin(px * divisor / 23f)).ToArray();
        var down = Enumerable.Range(0, height).Select(py => MathF.Sin(py * divisor / 17f)).ToArray();
        var tints = Enumerable
            .Range(0, Ridges + 1)
            .Select(ridge => (Cb: MathF.Cos(hue + ridge * 0.7f), Cr: MathF.Sin(hue + ridge * 0.7f)))
            .ToArray();

        return JpegEncoder.Encode(
            width,
            height,
            Quality,
            (px, py) =>
            {
                var (x, y) = (px * divisor, py * divisor);
                var ridge = Ridges;
                while (ridge > 0 && y <= horizons[px][ridge - 1])
                    ridge--;
                var sun = ridge > 0 ? 0 : MathF.Max(0, 1 - MathF.Sqrt((x - sunX) * (x - sunX) + (y - sunY) * (y - sunY)) / 260);
                var luma = ridge == 0 ? 205 - y / 12f + 60 * sun : 165 - ridge * 38 + across[px] * down[py];
                var grain = ((px * 374761393 + py * 668265263) >> 13 & 7) - 3.5f;
                var chroma = ridge == 0 ? 22 - 14 * sun : 14 + ridge * 7;
                return (Math.Clamp(luma + grain, 0, 255), 128 + chroma * tints[ridge].Cb, 128 + chroma * tints[ridge].Cr + 30 * sun);
            }
        );
    }

    private static float[] Horizons(int x, int number) =>
        [
            .. Enumerable
                .Range(1, Ridges)
                .Select(r => 420 + r * 170 + 70 * MathF.Sin(x / (310f - r * 60) + number + r) + 18 * MathF.Sin(x / 41f + r * number)),
        ];
}
