using System.Globalization;
using System.Runtime.InteropServices;

namespace MobileBff.Features.Pictures;

/// <summary>
/// The machine's libvips through its operation objects: the convenient functions are variadic, which cannot be called from here portably.
/// Arguments that are texts or numbers are set from strings, as libvips' own command line does.
/// </summary>
internal static unsafe partial class Vips
{
    private const string Library = "libvips.so.42";
    private const string Objects = "libgobject-2.0.so.0";

    /// <summary>Loads and initialises the library once; false where it is not installed.</summary>
    public static bool IsAvailable => Loaded.Value;

    private static readonly Lazy<bool> Loaded = new(() =>
    {
        if (!NativeLibrary.TryLoad(Library, out _) || !NativeLibrary.TryLoad(Objects, out _) || vips_init("bff") != 0)
        {
            return false;
        }

        vips_concurrency_set(1); // One picture, one core: the others answer JSON.
        vips_cache_set_max(0);
        vips_block_untrusted_set(1);
        vips_operation_block_set("VipsForeignLoad", 1); // What is not meant to be read is not even tried.
        vips_operation_block_set("VipsForeignLoadJpeg", 0);
        vips_operation_block_set("VipsForeignLoadPng", 0);
        return true;
    });

    /// <summary>The picture no wider than <paramref name="width"/>; null when it cannot be decoded to its end.</summary>
    public static byte[]? Shrink(ReadOnlySpan<byte> file, int width, bool webp, int quality)
    {
        fixed (byte* bytes = file)
        {
            var image = Run(
                "thumbnail_buffer", "buffer", Blob(bytes, (nuint)file.Length), "out", static v => g_value_dup_object(v),
                ("width", Text(width)), ("height", "10000000"), ("size", "down"), ("fail_on", "truncated"));
            if (image == 0)
            {
                return null;
            }

            // Pixels are read while saving, from the bytes above.
            try
            {
                return Save(image, webp, quality);
            }
            finally
            {
                g_object_unref(image);
            }
        }
    }

    private static byte[]? Save(nint image, bool webp, int quality)
    {
        byte[]? saved = null;
        Run(
            webp ? "webpsave_buffer" : "jpegsave_buffer", "in", Image(image), "buffer",
            v =>
            {
                nuint length;
                var data = vips_value_get_blob(v, &length);
                saved = data == null ? null : new ReadOnlySpan<byte>(data, checked((int)length)).ToArray();
                return 1;
            },
            webp ? [("Q", Text(quality)), ("strip", "true"), ("effort", "2")] : [("Q", Text(quality)), ("strip", "true"), ("optimize_coding", "true")]);
        return saved;
    }

    private delegate nint Take(GValue* value);

    private static nint Run(string name, string inputName, GValue input, string outputName, Take take, params ReadOnlySpan<(string Name, string Value)> arguments)
    {
        var operation = vips_operation_new(name);
        if (operation == 0)
        {
            g_value_unset(&input);
            vips_error_clear();
            return 0;
        }

        try
        {
            g_object_set_property(operation, inputName, &input);
            g_value_unset(&input);
            foreach (var (argument, value) in arguments)
            {
                if (vips_object_set_argument_from_string(operation, argument, value) != 0)
                {
                    return 0;
                }
            }

            if (vips_object_build(operation) != 0)
            {
                return 0;
            }

            GValue output = default;
            g_value_init(&output, outputName == "out" ? vips_image_get_type() : vips_blob_get_type());
            g_object_get_property(operation, outputName, &output);
            var result = take(&output);
            g_value_unset(&output);
            return result;
        }
        finally
        {
            vips_object_unref_outputs(operation);
            g_object_unref(operation);
            vips_error_clear(); // Messages pile up otherwise.
        }
    }

    private static GValue Blob(byte* bytes, nuint length)
    {
        GValue value = default;
        g_value_init(&value, vips_blob_get_type());
        vips_value_set_blob(&value, 0, bytes, length);
        return value;
    }

    private static GValue Image(nint image)
    {
        GValue value = default;
        g_value_init(&value, vips_image_get_type());
        g_value_set_object(&value, image);
        return value;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [StructLayout(LayoutKind.Sequential)]
    private struct GValue
    {
        public nuint Type;
        public ulong First;
        public ulong Second;
    }

#pragma warning disable IDE1006, SYSLIB1054 // Names are those of the libraries.
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int vips_init(string name);

    [LibraryImport(Library)]
    private static partial void vips_concurrency_set(int threads);

    [LibraryImport(Library)]
    private static partial void vips_cache_set_max(int operations);

    [LibraryImport(Library)]
    private static partial void vips_block_untrusted_set(int state);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void vips_operation_block_set(string name, int state);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint vips_operation_new(string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int vips_object_set_argument_from_string(nint instance, string name, string value);

    [LibraryImport(Library)]
    private static partial int vips_object_build(nint instance);

    [LibraryImport(Library)]
    private static partial void vips_object_unref_outputs(nint instance);

    [LibraryImport(Library)]
    private static partial void vips_error_clear();

    [LibraryImport(Library)]
    private static partial nuint vips_blob_get_type();

    [LibraryImport(Library)]
    private static partial nuint vips_image_get_type();

    [LibraryImport(Library)]
    private static partial void vips_value_set_blob(GValue* value, nint free, void* data, nuint length);

    [LibraryImport(Library)]
    private static partial void* vips_value_get_blob(GValue* value, nuint* length);

    [LibraryImport(Objects)]
    private static partial GValue* g_value_init(GValue* value, nuint type);

    [LibraryImport(Objects)]
    private static partial void g_value_unset(GValue* value);

    [LibraryImport(Objects)]
    private static partial void g_value_set_object(GValue* value, nint instance);

    [LibraryImport(Objects)]
    private static partial nint g_value_dup_object(GValue* value);

    [LibraryImport(Objects, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_set_property(nint instance, string name, GValue* value);

    [LibraryImport(Objects, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_get_property(nint instance, string name, GValue* value);

    [LibraryImport(Objects)]
    private static partial void g_object_unref(nint instance);
#pragma warning restore IDE1006, SYSLIB1054
}
