using System.Runtime.InteropServices;
using NetVips;

namespace MobileBff.Features.Pictures;

/// <summary>
/// libvips, which comes along as a package. NetVips loads and initialises it as soon as one of its types is used: nothing else here touches
/// one, so that a start does not wait for it.
/// </summary>
internal static class PictureDecoder
{
    private const int AnyHeight = 10_000_000;

    /// <summary>White, as a page is: JPEG knows no transparency.</summary>
    private static readonly double[] Paper = [255, 255, 255];

    /// <summary>
    /// What libvips says of a broken picture is said by the answer; its own lines on the console would be none of the log's. Held, for it
    /// is called from outside.
    /// </summary>
    private static readonly Log.LogDelegate Silent = static (_, _, _) => { };

    /// <summary>Loads the library once; false on a platform that it does not come along for.</summary>
    public static bool IsAvailable => Loaded.Value;

    private static readonly Lazy<bool> Loaded = new(() =>
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            return false;
        }

        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silent);
        NetVips.NetVips.Concurrency = 1; // One picture, one core: the others answer JSON.
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true); // What is not meant to be read is not even tried.
        Operation.Block("VipsForeignLoadJpeg", false);
        Operation.Block("VipsForeignLoadPng", false);
        return true;
    });

    /// <summary>The picture no wider than <paramref name="width"/>; null when it cannot be decoded to its end.</summary>
    public static byte[]? Shrink(ReadOnlyMemory<byte> file, int width, bool webp, int quality)
    {
        var bytes =
            MemoryMarshal.TryGetArray(file, out var whole) && whole.Offset == 0 && whole.Count == whole.Array!.Length
                ? whole.Array
                : file.ToArray();
        try
        {
            ReadToItsEnd(bytes);
            // What is left out of the file must not be needed to show it: colours are converted to what is assumed of a picture without a
            // profile.
            using var image = Image.ThumbnailBuffer(bytes, width, height: AnyHeight, size: Enums.Size.Down, outputProfile: "srgb");
            if (webp)
            {
                return image.WebpsaveBuffer(q: quality, effort: 2, keep: Enums.ForeignKeep.None);
            }

            if (!image.HasAlpha())
            {
                return image.JpegsaveBuffer(q: quality, optimizeCoding: true, keep: Enums.ForeignKeep.None);
            }

            using var opaque = image.Flatten(background: Paper);
            return opaque.JpegsaveBuffer(q: quality, optimizeCoding: true, keep: Enums.ForeignKeep.None);
        }
        catch (VipsException)
        {
            return null;
        }
    }

    /// <summary>
    /// Decodes the picture row by row into nothing. Shrinking alone would paint what is missing grey, whatever it is told to fail on; and
    /// that a JPEG breaks off is no more than a warning to its library, hence no warning is let pass. What is missing of the last eight
    /// rows alone is not noticed.
    /// </summary>
    private static void ReadToItsEnd(byte[] file)
    {
        using var image = Image.NewFromBuffer(file, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning);
        image.Avg();
    }
}
