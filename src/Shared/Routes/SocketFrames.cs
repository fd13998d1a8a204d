using System.Buffers.Binary;

namespace Bff.Routes;

/// <summary>
/// Follows the frames in one direction of a WebSocket (RFC 6455 section 5.2): where frames and messages begin and end, but not their
/// content.
/// </summary>
internal sealed class SocketFrames
{
    private const int Pong = 10,
        Close = 8;
    private readonly byte[] _head = new byte[14];
    private readonly byte[] _said = new byte[8];
    private int _headRead;
    private int _headLength = 2;
    private long _left;
    private long _payload;
    private bool _isInMessage;

    /// <summary>Payload of the gateway's pings, and therefore of their pongs.</summary>
    public static ReadOnlySpan<byte> Mark => "gateway!"u8;

    /// <summary>Whether a control frame can be inserted here.</summary>
    public bool IsBetweenFrames => _headRead == 0;

    /// <summary>Whether a close frame can be inserted here without splitting a message.</summary>
    public bool IsBetweenMessages => IsBetweenFrames && !_isInMessage;

    /// <summary>Whether the sender has sent a close frame.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Number of completed frames, without pongs to the gateway's own pings.</summary>
    public long Count { get; private set; }

    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_headRead < _headLength)
            {
                _head[_headRead++] = bytes[0];
                bytes = bytes[1..];
                if (_headRead == 2)
                {
                    _headLength =
                        2
                        + (
                            (_head[1] & 0x7f) switch
                            {
                                126 => 2,
                                127 => 8,
                                _ => 0,
                            }
                        )
                        + (IsMasked ? 4 : 0);
                }

                if (_headRead == _headLength)
                {
                    Begin();
                }

                continue;
            }

            var part = (int)Math.Min(_left, bytes.Length);
            if (IsControl && _payload == _said.Length)
            {
                bytes[..part].CopyTo(_said.AsSpan((int)(_payload - _left)));
            }

            _left -= part;
            bytes = bytes[part..];
            EndIfWhole();
        }
    }

    private bool IsMasked => (_head[1] & 0x80) != 0;

    private int Kind => _head[0] & 0x0f;

    private bool IsControl => Kind >= Close;

    private void Begin()
    {
        _payload = (_head[1] & 0x7f) switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(_head.AsSpan(2)),
            127 => (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(_head.AsSpan(2)), long.MaxValue),
            var length => length,
        };
        _left = _payload;
        if (!IsControl)
        {
            _isInMessage = (_head[0] & 0x80) == 0; // The last fragment has FIN.
        }

        EndIfWhole();
    }

    private void EndIfWhole()
    {
        if (_left > 0)
        {
            return;
        }

        IsClosed |= Kind == Close;
        if (!IsOwnPong())
        {
            Count++;
        }

        (_headRead, _headLength) = (0, 2);
    }

    private bool IsOwnPong()
    {
        if (Kind != Pong || _payload != _said.Length)
        {
            return false;
        }

        Span<byte> plain = stackalloc byte[8];
        for (var i = 0; i < plain.Length; i++)
        {
            plain[i] = (byte)(_said[i] ^ (IsMasked ? _head[_headLength - 4 + (i & 3)] : 0));
        }

        return plain.SequenceEqual(Mark);
    }
}
