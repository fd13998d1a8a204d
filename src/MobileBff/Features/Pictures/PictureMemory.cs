using System.Diagnostics.CodeAnalysis;

namespace MobileBff.Features.Pictures;

/// <summary>Caches finished variants up to a number of bytes; evicts the least recently used.</summary>
internal sealed class PictureMemory(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<PictureVariant, LinkedListNode<(PictureVariant Variant, Picture Picture)>> _byVariant = [];
    private readonly LinkedList<(PictureVariant Variant, Picture Picture)> _byUse = new();
    private long _bytes;

    public bool TryGet(PictureVariant variant, [NotNullWhen(true)] out Picture? picture)
    {
        lock (_lock)
        {
            if (_byVariant.TryGetValue(variant, out var node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                picture = node.Value.Picture;
                return true;
            }
        }

        picture = null;
        return false;
    }

    public void Add(PictureVariant variant, Picture picture)
    {
        lock (_lock)
        {
            if (_byVariant.Remove(variant, out var before))
            {
                Forget(before);
            }

            _byVariant[variant] = _byUse.AddFirst((variant, picture));
            _bytes += picture.Content.Length;
            while (_bytes > maxBytes && _byUse.Last is { } oldest)
            {
                _byVariant.Remove(oldest.Value.Variant);
                Forget(oldest);
            }
        }
    }

    private void Forget(LinkedListNode<(PictureVariant Variant, Picture Picture)> node)
    {
        _byUse.Remove(node);
        _bytes -= node.Value.Picture.Content.Length;
    }
}
