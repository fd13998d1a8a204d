using System.Buffers;
using System.Security.Cryptography;

namespace Bff.Requests;

/// <summary>
/// A request's body that was read to its end. Up to <see cref="MemoryBytes"/> are kept in memory; a larger body goes to a temporary file.
/// It can be read repeatedly, by several readers at once. The file's name is deleted as soon as the file is open, so that nothing is left
/// of it however the process ends.
/// </summary>
internal sealed class HeldBody : IDisposable
{
    /// <summary>Largest body in bytes that is kept in memory.</summary>
    public const int MemoryBytes = 1024 * 1024;

    private const int FirstBytes = 16 * 1024;
    private const int CopyBytes = 64 * 1024;
    private readonly FileStream? _file;
    private byte[]? _bytes;

    private HeldBody(byte[] bytes) => (_bytes, Length) = (bytes, bytes.Length);

    private HeldBody(FileStream file, long length) => (_file, Length) = (file, length);

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>Reads a body to its end. The buffer grows with what arrives, not with what is announced.</summary>
    /// <param name="body">The body.</param>
    /// <param name="announced">The length in bytes, if the sender has announced it.</param>
    /// <param name="progressed">Called each time another <see cref="MemoryBytes"/> have arrived.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    public static async Task<HeldBody> Read(Stream body, long? announced, Action progressed, CancellationToken cancellation)
    {
        var bytes = new byte[(int)Math.Min(announced ?? FirstBytes, FirstBytes)];
        var length = 0;
        while (length != announced)
        {
            if (length == MemoryBytes)
            {
                return await ReadToFile(bytes, body, announced, progressed, cancellation);
            }

            if (length == bytes.Length)
            {
                Array.Resize(ref bytes, bytes.Length * 2);
            }

            var read = await body.ReadAsync(bytes.AsMemory(length), cancellation);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        if (length != bytes.Length)
        {
            Array.Resize(ref bytes, length);
        }

        return new(bytes);
    }

    /// <summary>Wraps a body that the gateway itself has written.</summary>
    public static HeldBody Of(byte[] bytes) => new(bytes);

    /// <summary>Returns the whole body in memory and keeps it there.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ToMemory(CancellationToken cancellation)
    {
        if (_bytes is null)
        {
            var bytes = new byte[Length];
            for (var at = 0; at < bytes.Length; )
            {
                at += await ReadAt(bytes.AsMemory(at), at, cancellation);
            }

            _bytes = bytes;
        }

        return _bytes;
    }

    /// <summary>Writes the whole body to the target.</summary>
    public ValueTask CopyTo(Stream target, CancellationToken cancellation) =>
        _bytes is { } bytes
            ? target.WriteAsync(bytes, cancellation)
            : InPieces((piece, token) => target.WriteAsync(piece, token), cancellation);

    /// <summary>Appends the whole body to a hash.</summary>
    public ValueTask AppendTo(IncrementalHash hash, CancellationToken cancellation)
    {
        return InPieces(Append, cancellation);

        ValueTask Append(ReadOnlyMemory<byte> piece, CancellationToken _)
        {
            hash.AppendData(piece.Span);
            return default;
        }
    }

    /// <summary>Returns a stream from the start of the body, for one reader.</summary>
    public Stream AsStream()
    {
        if (_bytes is { } bytes)
        {
            return new MemoryStream(bytes, writable: false);
        }

        _file!.Position = 0;
        return _file;
    }

    public void Dispose() => _file?.Dispose();

    private static async Task<HeldBody> ReadToFile(
        byte[] first,
        Stream body,
        long? announced,
        Action progressed,
        CancellationToken cancellation
    )
    {
        var file = OpenFile();
        try
        {
            await file.WriteAsync(first, cancellation);
            long length = first.Length;
            progressed();
            var buffer = first.AsMemory(0, CopyBytes);
            while (length != announced)
            {
                var read = await body.ReadAsync(buffer, cancellation);
                if (read == 0)
                {
                    break;
                }

                await file.WriteAsync(buffer[..read], cancellation);
                if ((length + read) / MemoryBytes != length / MemoryBytes)
                {
                    progressed();
                }

                length += read;
            }

            return new(file, length);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private static FileStream OpenFile()
    {
        var path = Path.Combine(Path.GetTempPath(), "bff-body-" + Guid.NewGuid().ToString("N"));
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        File.Delete(path);
        return file;
    }

    private async ValueTask InPieces(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> take, CancellationToken cancellation)
    {
        if (_bytes is { } bytes)
        {
            await take(bytes, cancellation);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            for (long at = 0; at < Length; )
            {
                var read = await ReadAt(buffer, at, cancellation);
                await take(buffer.AsMemory(0, read), cancellation);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<int> ReadAt(Memory<byte> buffer, long at, CancellationToken cancellation)
    {
        var read = await RandomAccess.ReadAsync(_file!.SafeFileHandle, buffer, at, cancellation);
        return read > 0 ? read : throw new EndOfStreamException("The file of a held body has been cut off.");
    }
}
