using Bff.Configuration;

namespace MobileBff.Features.Pictures;

/// <summary><c>Images</c>: what pictures may cost.</summary>
[Settings("Images")]
internal sealed class PictureOptions
{
    /// <summary>False: stored sizes only; nothing is decoded.</summary>
    [Setting]
    public bool Decode { get; set; } = true;

    /// <summary>A larger picture is refused before it is decoded. The default is about what a phone's camera makes.</summary>
    [Setting(Min = 1, Max = 1_000_000_000)]
    public long MaxPixels { get; set; } = 30_000_000;

    /// <summary>Pictures decoded at once.</summary>
    [Setting(Min = 1, Max = 1024, Default = "half the cores, at least one")]
    public int MaxDecodes { get; set; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Pictures that wait for that; further ones are 503.</summary>
    [Setting(Min = 0, Max = 1_000_000)]
    public int MaxWaiting { get; set; } = 64;

    /// <summary>Memory for finished variants.</summary>
    [Setting(Min = 0, Max = 1L << 40)]
    public long CacheBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How long a finished variant is served without looking at the original.</summary>
    [Setting(Min = "00:00:00", Max = "365.00:00:00")]
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromHours(1);
}
