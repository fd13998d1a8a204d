using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Bff.Concurrency;
using Bff.Life;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Extensions.Options;
using MobileBff.Upstreams;

namespace MobileBff.Features.Pictures;

/// <summary>Identifies a variant of an image.</summary>
internal readonly record struct PictureVariant(string File, int Width, bool WebP, bool SavesData)
{
    /// <summary>Key of the client's headers that the original varies by; null if <c>Upstreams:media:VaryBy</c> names none.</summary>
    public string? Told { get; init; }

    public int Quality =>
        (WebP, SavesData) switch
        {
            (true, false) => 76,
            (true, true) => 38,
            (false, false) => 80,
            (false, true) => 40,
        };
}

/// <summary>A finished variant.</summary>
internal sealed record Picture(byte[] Content, string MediaType, string ETag, DateTimeOffset MadeAt);

/// <summary>
/// Creates variants: 1. from the cache; 2. otherwise one run for each variant fetches the original; 3. its header gives the format and
/// size;
/// 4. the number of concurrent decodes is limited; 5. decoding runs on a thread that serves no requests. Without libvips the nearest stored
/// size is the variant.
/// </summary>
internal sealed partial class PictureStore : IWarmup, IDisposable
{
    private const int LargestFromThumb = 320;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly SingleFlight<PictureVariant> _runs = new();
    private readonly PictureMemory _memory;
    private readonly ConcurrencyLimiter _decodes;
    private readonly IMedia _media;
    private readonly SharedReads _shared;
    private readonly PictureOptions _options;
    private readonly TimeProvider _time;
    private readonly Lazy<Task<bool>> _decoding;

    public PictureStore(IMedia media, SharedReads shared, IOptions<PictureOptions> options, TimeProvider time, ILogger<PictureStore> logger)
    {
        _media = media;
        _shared = shared;
        _options = options.Value;
        _time = time;
        _memory = new PictureMemory(_options.CacheBytes);
        _decodes = new ConcurrencyLimiter(new() { PermitLimit = _options.MaxDecodes, QueueLimit = _options.MaxWaiting });
        _decoding = new(() => Task.Run(() => IsDecoding(logger)));
    }

    /// <summary>Number of images that have been decoded; for tests.</summary>
    public int Decoded => Volatile.Read(ref _decoded);

    private int _decoded;

    /// <summary>
    /// Loads libvips and logs whether images are resized. Runs after the host has started to serve, because loading the library and its
    /// dependencies takes a tenth of a second, in which no thread can load anything else.
    /// </summary>
    public Task Warm(CancellationToken cancellation) => _decoding.Value;

    /// <summary>Looks only in the cache.</summary>
    public bool TryGet(PictureVariant variant, [NotNullWhen(true)] out Picture? picture) =>
        _memory.TryGet(variant, out picture) && _time.GetUtcNow() - picture.MadeAt < _options.CacheFor;

    /// <summary>Returns a variant that <see cref="TryGet"/> did not find.</summary>
    /// <exception cref="ProblemException">The image does not exist (404), is not an image (502), or cannot be created now.</exception>
    public Task<Picture> Get(PictureVariant variant, BffRequest request, CancellationToken cancellation)
    {
        var shared = _shared.ForEverybody("media", request);
        if (_runs.Join(variant, _time, static time => new SharedRun<Picture>(Deadline, time), static (_, _) => true, out var run))
        {
            _ = _runs.Lead(variant, run, Make(variant, shared, run.Token));
        }

        return run.Wait(cancellation).AsTask();
    }

    public void Dispose() => _decodes.Dispose();

    private async Task<Picture> Make(PictureVariant variant, BffRequest request, CancellationToken cancellation)
    {
        await Task.Yield();
        if (TryGet(variant, out var kept)) // Another run made it after the caller had looked, and ended before this one started.
        {
            return kept;
        }

        try
        {
            var decodes = await _decoding.Value;
            var fromThumb = !decodes && variant.Width <= LargestFromThumb;
            var answer = await (fromThumb ? _media.Thumb(variant.File) : _media.Large(variant.File)).For(request, Deadline, cancellation);
            if (answer.Value is not { } original)
            {
                throw new ProblemException(answer.ToProblem(null));
            }

            if (
                original.MediaType?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) != true
                || !PictureHeader.TryRead(original.Content.Span, out var header)
                || !header.IsComplete
                || header.Pixels > _options.MaxPixels
            )
            {
                throw NotAPicture();
            }

            var (content, mediaType) = decodes
                ? (await Decode(original.Content, variant, cancellation), variant.WebP ? "image/webp" : "image/jpeg")
                : (original.Content.ToArray(), header.MediaType);
            var picture = new Picture(
                content,
                mediaType,
                $"\"{Base64Url.EncodeToString(SHA256.HashData(content).AsSpan(0, 16))}\"",
                _time.GetUtcNow()
            );
            _memory.Add(variant, picture);
            return picture;
        }
        catch (OperationCanceledException)
        {
            throw new ProblemException(new Problem(ProblemCodes.UpstreamTimeout));
        }
    }

    /// <summary>Whether images are resized on this host; logs it.</summary>
    private bool IsDecoding(ILogger logger)
    {
        if (_options.Decode && PictureDecoder.IsAvailable)
        {
            LogDecodes(logger, _options.MaxDecodes);
            return true;
        }

        LogStoredSizes(logger);
        return false;
    }

    private async Task<byte[]> Decode(ReadOnlyMemory<byte> original, PictureVariant variant, CancellationToken cancellation)
    {
        using var place = await _decodes.AcquireAsync(1, cancellation);
        if (!place.IsAcquired)
        {
            throw new ProblemException(new Problem(ProblemCodes.Overloaded) { RetryAfter = TimeSpan.FromSeconds(1) });
        }

        Interlocked.Increment(ref _decoded);
        return await Task.Factory.StartNew(
            () => PictureDecoder.Shrink(original, variant.Width, variant.WebP, variant.Quality) ?? throw NotAPicture(),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    private static ProblemException NotAPicture() =>
        new(
            new Problem(ProblemCodes.UpstreamFailed)
            {
                Detail = "The file that is stored under this name is not a picture that can be shown.",
            }
        );

    [LoggerMessage(
        3001,
        LogLevel.Information,
        "Pictures are resized with libvips, at most {Decodes} at a time",
        EventName = "PictureDecoderReady"
    )]
    private static partial void LogDecodes(ILogger logger, int decodes);

    [LoggerMessage(
        3002,
        LogLevel.Warning,
        "libvips is disabled or not available for this platform; pictures are served in the nearest stored size",
        EventName = "PictureDecoderMissing"
    )]
    private static partial void LogStoredSizes(ILogger logger);
}
