using Bff.Configuration;

namespace MobileBff.Features.Pictures;

/// <summary><c>Images</c>: what pictures may cost.</summary>
[Settings("Images")]
internal sealed class PictureOptions
{
    /// <summary>Whether pictures are decoded and resized. With <c>false</c> the host serves the stored sizes only.</summary>
    [Setting]
    public bool Decode { get; set; } = true;

    /// <summary>
    /// Largest picture in pixels. A larger one is refused before it is decoded. The default is about the size of a phone camera's pictures.
    /// </summary>
    [Setting(Min = 1, Max = 1_000_000_000)]
    public long MaxPixels { get; set; } = 30_000_000;

    /// <summary>Maximum number of pictures that are decoded at the same time.</summary>
    [Setting(Min = 1, Max = 1024, Default = "half the cores, at least one")]
    public int MaxDecodes { get; set; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Maximum number of pictures that wait to be decoded. Requests for more are answered 503.</summary>
    [Setting(Min = 0, Max = 1_000_000)]
    public int MaxWaiting { get; set; } = 64;

    /// <summary>Size of the cache of resized pictures in bytes.</summary>
    [Setting(Min = 0, Max = 1L << 40)]
    public long CacheBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How long a resized picture is served from the cache before the original is checked again.</summary>
    [Setting(Min = "00:00:00", Max = "365.00:00:00")]
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromHours(1);
}
