using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NetVips;

namespace MobileBff.Tests.Pictures;

/// <summary>A media service that serves the files that a test puts into it.</summary>
internal sealed class StoredPictures : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StoredPictures(WebApplication app) => _app = app;

    public ConcurrentDictionary<string, (byte[] Content, string MediaType)> Files { get; } = new();

    public ConcurrentQueue<string> Asked { get; } = new();

    public string Address => _app.Urls.First();

    public static async Task<StoredPictures> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var stored = new StoredPictures(builder.Build());
        stored._app.Run(stored.Answer);
        await stored._app.StartAsync();
        return stored;
    }

    /// <summary>Returns a black picture of one bit per pixel: few bytes, many pixels.</summary>
    public static byte[] Png(int width, int height)
    {
        using var file = new MemoryStream();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, width);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), height);
        head[8] = 1;
        Chunk(file, "IHDR", head);
        using var pixels = new MemoryStream();
        using (var zlib = new ZLibStream(pixels, CompressionLevel.Fastest, leaveOpen: true))
        {
            var row = new byte[1 + (width + 7) / 8];
            for (var y = 0; y < height; y++)
            {
                zlib.Write(row);
            }
        }

        Chunk(file, "IDAT", pixels.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>Returns a picture of noise, in which every row takes many bytes, and the bytes that end its format.</summary>
    public static (byte[] Whole, byte[] End) Noise(string name)
    {
        using var noise = Image.Gaussnoise(1000, 700, sigma: 40, mean: 128, seed: 7);
        using var picture = noise.Cast(Enums.BandFormat.Uchar);
        return name.EndsWith("png", StringComparison.Ordinal)
            ? (picture.PngsaveBuffer(), [0, 0, 0, 0, .. "IEND"u8, 0xAE, 0x42, 0x60, 0x82])
            : (picture.JpegsaveBuffer(interlace: name.StartsWith("progressive", StringComparison.Ordinal)), [0xFF, 0xD9]);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task Answer(HttpContext context)
    {
        Asked.Enqueue(context.Request.Path.Value!);
        if (!Files.TryGetValue(context.Request.Path.Value!, out var file))
        {
            context.Response.StatusCode = 404;
            return;
        }

        context.Response.ContentType = file.MediaType;
        context.Response.ContentLength = file.Content.Length;
        await context.Response.Body.WriteAsync(file.Content);
    }

    private static void Chunk(Stream file, string type, byte[] data)
    {
        var body = Encoding.ASCII.GetBytes(type).Concat(data).ToArray();
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
        file.Write(number);
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
            }
        }

        return ~crc;
    }
}
