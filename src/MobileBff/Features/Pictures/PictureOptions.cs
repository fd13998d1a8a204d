namespace MobileBff.Features.Pictures;

/// <summary><c>Images</c>: what pictures may cost.</summary>
internal sealed class PictureOptions
{
    /// <summary>False: stored sizes only, also where libvips is installed. Default true.</summary>
    public bool Decode { get; set; } = true;

    /// <summary>A larger picture is refused before it is decoded. Default 30 million, about what a phone's camera makes.</summary>
    public long MaxPixels { get; set; } = 30_000_000;

    /// <summary>Pictures decoded at once. Default: half the cores, at least one.</summary>
    public int MaxDecodes { get; set; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Pictures that wait for that; further ones are 503. Default 64.</summary>
    public int MaxWaiting { get; set; } = 64;

    /// <summary>Memory for finished variants. Default 64 MiB.</summary>
    public long CacheBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How long a finished variant is served without looking at the original. Default 1 h.</summary>
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromHours(1);
}
